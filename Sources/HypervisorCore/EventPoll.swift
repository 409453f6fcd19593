// SCHEDOP_poll: a vcpu sleeps until one of some ports is pending, masked or not.

import CXenABI

/// What a poll comes to.
public enum PollDecision: Hashable, Sendable {
  /// The call answers 0 at once.
  case ready
  /// The vcpu sleeps until it is woken or a system time is reached; nil for no such time.
  case sleep(until: UInt64?)
}

extension Hypervisor {
  /// Reads the argument of SCHEDOP_poll and makes the caller a poller, unless there is no need.
  ///
  /// After `sleep`, `endPoll` is called when the vcpu wakes for whatever reason.
  public func beginPoll(
    _ argument: GuestVirtualAddress, from caller: Caller
  ) throws(HypercallError) -> PollDecision {
    let words = try readWords(3, from: argument)
    let count = Int(UInt32(truncatingIfNeeded: words[1]))
    let timeout = words[2]
    guard count <= 128 else { throw .invalid }
    let ports = try readPorts(count, at: GuestVirtualAddress(words[0]))
    var isReady = isUpcallDue(on: caller.vcpu, of: caller.domain)
    for index in 0..<count where !isReady {
      let number = EventPort(ports[index])
      guard let record = port(number, of: caller.domain) else { throw .invalid }
      isReady = isPending(number, record, of: caller.domain)
    }
    if isReady || (timeout != 0 && timeout <= machine.now) { return .ready }
    endPoll(of: caller.vcpu, in: caller.domain)
    if count > 0 {
      caller.vcpu.pointee.poll = count == 1 ? .port(EventPort(ports[0])) : .several
      caller.domain.pointee.pollerCount += 1
    }
    return .sleep(until: timeout == 0 ? nil : timeout)
  }

  /// Ends the poll of a vcpu, if it is in one.
  public func endPoll(of vcpu: UnsafeMutablePointer<VCPU>, in domain: DomainPointer) {
    guard vcpu.pointee.poll != .none else { return }
    vcpu.pointee.poll = .none
    domain.pointee.pollerCount -= 1
  }

  /// Ends all polls of a domain.
  func endPolls(of domain: DomainPointer) {
    for index in 0..<domain.pointee.vcpuCount {
      endPoll(of: domain.pointee.vcpus[index], in: domain)
    }
  }

  /// Wakes who polls a port.
  ///
  /// Who polls several is woken by any: 128 numbers are not kept, and a guest that finds nothing
  /// polls again, as it must on Xen.
  func wakePollers(of number: EventPort, in domain: DomainPointer) {
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index]
      switch vcpu.pointee.poll {
      case .none: continue
      case .port(let polled): if polled == number { machine.wake(vcpu) }
      case .several: machine.wake(vcpu)
      }
    }
  }

  private func readPorts(
    _ count: Int, at address: GuestVirtualAddress
  ) throws(HypercallError) -> InlineArray<128, UInt32> {
    var ports = InlineArray<128, UInt32>(repeating: 0)
    let byteCount = min(count, 128) * 4
    guard address.isGuestRange(byteCount: UInt64(byteCount)) else { throw .fault }
    var failed = false
    withUnsafeMutableBytes(of: &ports) { buffer in
      // SAFETY: the buffer holds 512 bytes, and byteCount is at most that.
      guard let base = buffer.baseAddress, byteCount > 0 else { return }
      do throws(GuestMemoryFault) {
        try machine.copyIn(base, from: address, byteCount: byteCount)
      } catch { failed = true }
    }
    if failed { throw .fault }
    return ports
  }
}
