// How ports come to be bound: EVTCHNOP_alloc_unbound, bind_interdomain, bind_virq, bind_ipi, and
// bind_vcpu, which moves them.

extension Hypervisor {
  /// Makes a port that another domain can bind to: the hypercall, and the builder of a domain.
  public func allocateUnbound(
    for remote: DomainID, in domain: DomainPointer
  ) throws(HypercallError) -> EventPort {
    let opened = try openPort(.unbound, of: domain)
    opened.record.pointee.remoteDomain = remote
    return opened.number
  }

  /// EVTCHNOP_alloc_unbound.
  func allocateUnbound(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let word = try readWords(1, from: argument)[0]
    let domain = try target(DomainID(UInt16(truncatingIfNeeded: word)), for: caller)
    let remote = DomainID(UInt16(truncatingIfNeeded: word >> 16))
    let number = try allocateUnbound(
      for: remote == .caller ? caller.domain.pointee.id : remote, in: domain)
    try write(half: number.rawValue, to: try place(argument, 4))
  }

  /// EVTCHNOP_bind_interdomain: connects to a port that waits for the caller.
  func bindInterdomain(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let id = DomainID(try readQuarter(at: argument))
    let remotePort = try readPort(argument, 4)
    let own = caller.domain.pointee.id
    guard let other = id == .caller ? caller.domain : domains.find(id), !other.pointee.isDying
    else { throw .noDomain }
    // Only a port that waits for this very domain may be had.
    guard let end = port(remotePort, of: other), end.pointee.kind == .unbound,
      end.pointee.remoteDomain == own
    else { throw .invalid }
    let opened = try openPort(.interdomain, of: caller.domain)
    let number = opened.number
    let record = opened.record
    record.pointee.remoteDomain = other.pointee.id
    record.pointee.remotePort = remotePort
    end.pointee.kind = .interdomain
    end.pointee.remotePort = number
    // What was sent before the binding is lost; the first event makes the guest look.
    setPending(number, record, of: caller.domain)
    try write(half: number.rawValue, to: try place(argument, 8))
  }

  /// EVTCHNOP_bind_virq.
  func bindInterrupt(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let interrupt = try readHalf(at: argument)
    let index = try readHalf(at: try place(argument, 4))
    guard interrupt < VirtualInterrupt.count,
      VirtualInterrupt.isPerVCPU(interrupt) || index == 0
    else { throw .invalid }
    let vcpu = try vcpu(index, of: caller.domain)
    guard vcpu.pointee.interruptPorts[Int(interrupt)].rawValue == 0 else { throw .exists }
    let opened = try openPort(.virtualInterrupt, of: caller.domain)
    let number = opened.number
    let record = opened.record
    record.pointee.interrupt = UInt8(truncatingIfNeeded: interrupt)
    record.pointee.vcpu = VCPUID(index)
    vcpu.pointee.interruptPorts[Int(interrupt)] = number
    try write(half: number.rawValue, to: try place(argument, 8))
  }

  /// EVTCHNOP_bind_ipi.
  func bindInterprocessor(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let index = UInt32(truncatingIfNeeded: try readWords(1, from: argument)[0])
    _ = try vcpu(index, of: caller.domain)
    let opened = try openPort(.interprocessor, of: caller.domain)
    let number = opened.number
    let record = opened.record
    record.pointee.vcpu = VCPUID(index)
    try write(half: number.rawValue, to: try place(argument, 4))
  }

  /// EVTCHNOP_bind_vcpu.
  ///
  /// In the FIFO form an event that is linked stays in its queue; the next one goes to the new vcpu.
  func bindVCPU(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let number = try readPort(argument, 0)
    let index = try readHalf(at: try place(argument, 4))
    _ = try vcpu(index, of: caller.domain)
    guard let record = port(number, of: caller.domain) else { throw .invalid }
    switch record.pointee.kind {
    case .unbound, .interdomain, .physicalInterrupt: break
    case .virtualInterrupt where !VirtualInterrupt.isPerVCPU(UInt32(record.pointee.interrupt)):
      break
    case .closed, .interprocessor, .virtualInterrupt: throw .invalid
    }
    record.pointee.vcpu = VCPUID(index)
  }
}
