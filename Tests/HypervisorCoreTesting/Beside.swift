// Calls as the machine makes those that most often concern their own domain alone: first beside others,
// when nothing of others may change, and under the whole core lock if they ask for it.

public import HypervisorCore

/// What must stay as it is while others work in the core: all but one domain's own.
private struct OthersState: Equatable {
  var records: [[UInt32]] = []
  var counts: [UInt64] = []

  init(_ hypervisor: Hypervisor<FakeMachine>, but domain: DomainID) {
    counts = [hypervisor.state.pointee.freeCount]
    for number in 0..<hypervisor.machine.frameCount {
      let record = hypervisor.frames[MachineFrame(UInt64(number))].pointee
      // Who owns what must not change either.
      counts.append(UInt64(record.owner.rawValue))
      guard record.owner != domain else { continue }
      records.append([
        record.references, record.typeUses, record.stamp, record.next, UInt32(record.progress),
        UInt32(bitPattern: Int32(record.linear)), UInt32(record.type.rawValue),
        UInt32(record.flags.rawValue),
      ])
    }
    for index in 0..<hypervisor.domains.capacity {
      guard let other = hypervisor.domains[index] else { continue }
      counts += [UInt64(index), other.pointee.pageCount, UInt64(other.pointee.openPortCount)]
      counts.append(UInt64(other.pointee.grants?.pointee.usedCount ?? 0))
    }
  }
}

/// What a call that runs beside others may change, and which lock the machine takes for it.
public enum BesideKind {
  /// What is its domain's, under the domain's lock.
  case domain
  /// Nothing but what is changed atomically, or under a lock that it takes itself.
  case signal
  /// What is both domains', whose locks it takes itself; they are left as they were but for stamps.
  case copy
}

extension Bench {
  /// Does something beside others, and then alone if it asks for that by `wantsAll`.
  ///
  /// A change of what is not the domain's is noted in `violation`.
  func beside<Result>(
    _ domain: DomainPointer, as kind: BesideKind, _ body: () -> Result, wantsAll: (Result) -> Bool
  ) -> Result {
    let before = OthersState(hypervisor, but: domain.pointee.id)
    machine.holdsAll = false
    machine.hasAskedForAll = false
    let lock = Hypervisor<FakeMachine>.lock(of: domain)
    if kind == .domain { machine.take(lock) }
    let result = body()
    if kind == .domain { machine.release(lock) }
    machine.holdsAll = true
    if kind != .copy, OthersState(hypervisor, but: domain.pointee.id) != before {
      violation = Violation(description: "changed what is not its own beside others")
    }
    for index in 0..<hypervisor.domains.capacity {
      if let other = hypervisor.domains[index], other.pointee.lock.held != 0 {
        violation = Violation(description: "a domain's lock is held after a call")
      }
    }
    guard machine.hasAskedForAll, wantsAll(result) else { return result }
    askedForAllCount += 1
    return body()
  }

  /// A store that is carried out as an update, beside others.
  public func emulateBeside(
    at address: GuestVirtualAddress, value: UInt64, byteCount: Int, expected: UInt64?,
    from caller: Caller
  ) -> UInt64? {
    beside(caller.domain, as: .domain) { () -> UInt64?? in
      do throws(MemoryError) {
        return try hypervisor.emulateTableWrite(
          at: address, value: value, byteCount: byteCount, expected: expected, from: caller)
      } catch { return error == .preempted ? .none : .some(nil) }
    } wantsAll: {
      $0 == nil
    } ?? nil
  }
}
