// How ports end: one by one, all at a reset, all at a domain's death.

import CXenABI

/// What EVTCHNOP_reset becomes while it is interrupted: the number after the last of the ABI, so that
/// the call goes on instead of beginning again.
var resetContinuation: Int32 { EVTCHNOP_set_priority + 1 }

extension Hypervisor {
  /// Frees a port.
  ///
  /// The other end of an interdomain channel waits to be bound again.
  func close(_ number: EventPort, of domain: DomainPointer) throws(HypercallError) {
    guard let record = port(number, of: domain), record.pointee.kind != .closed else {
      throw .invalid
    }
    if record.pointee.kind == .interdomain, let other = domains.find(record.pointee.remoteDomain),
      let end = port(record.pointee.remotePort, of: other)
    {
      end.pointee.kind = .unbound
      end.pointee.remoteDomain = domain.pointee.id
      end.pointee.remotePort = EventPort(0)
    }
    if record.pointee.kind == .virtualInterrupt {
      let isGlobal = !VirtualInterrupt.isPerVCPU(UInt32(record.pointee.interrupt))
      let holder = isGlobal ? 0 : Int(record.pointee.vcpu.rawValue)
      domain.pointee.vcpus[holder].pointee.interruptPorts[Int(record.pointee.interrupt)] =
        EventPort(0)
    }
    if record.pointee.kind == .physicalInterrupt { releasePhysical(record.pointee) }
    clearPending(number, record, of: domain)
    release(number, record, of: domain)
  }

  /// Frees all ports of a domain that dies, and what was kept for them.
  func closeAll(of domain: DomainPointer) {
    var number = 1
    while let next = nextOpenPort(from: number, of: domain) {
      closeOpen(next, of: domain)
      number = next + 1
    }
    leaveFIFO(of: domain)
    freePorts(of: domain)
    endPolls(of: domain)
  }

  /// EVTCHNOP_reset: closes all ports and goes back to the two-level form.
  ///
  /// It stops where other work waits and goes on as `resetContinuation`. Another vcpu that opens
  /// ports meanwhile makes it fail at the end, as in Xen: the caller may try again.
  func reset(
    _ domain: DomainPointer, _ arguments: inout HypercallArguments, isContinuation: Bool
  ) throws(HypercallError) -> HypercallResult {
    guard isContinuation == (domain.pointee.resetCursor > 0) else { throw .busy }
    var number = max(domain.pointee.resetCursor, 1)
    while let next = nextOpenPort(from: number, of: domain) {
      closeOpen(next, of: domain)
      number = next + 1
      if shallYield {
        domain.pointee.resetCursor = number
        arguments[0] = UInt64(resetContinuation)
        return .again
      }
    }
    domain.pointee.resetCursor = 0
    guard domain.pointee.openPortCount == 0 else { throw .tryAgain }
    leaveFIFO(of: domain)
    freePorts(of: domain)
    return .value(0)
  }

  private func closeOpen(_ number: Int, of domain: DomainPointer) {
    do throws(HypercallError) {
      try close(EventPort(UInt32(number)), of: domain)
    } catch {
      preconditionFailure("An open port cannot be closed")
    }
  }
}
