// Hypercall event_channel_op: the table of operations and their arguments.

extension Hypervisor {
  /// event_channel_op(command, argument).
  ///
  /// Each field is read once. Where the answer cannot be written the operation stays done, as in Xen.
  public func eventChannelOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    let argument = GuestVirtualAddress(arguments[1])
    let domain = caller.domain
    do throws(HypercallError) {
      switch UInt32(truncatingIfNeeded: arguments[0]) {
      case 0: try bindInterdomain(argument, caller)
      case 1: try bindInterrupt(argument, caller)
      case 3: try close(try readPort(argument, 0), of: domain)
      case 4: try send(try readPort(argument, 0), from: domain)
      case 5: try tellStatus(argument, caller)
      case 6: try allocateUnbound(argument, caller)
      case 7: try bindInterprocessor(argument, caller)
      case 8: try bindVCPU(argument, caller)
      case 9: try unmask(try readPort(argument, 0), of: domain)
      case 10:
        closeAll(of: try target(DomainID(try readQuarter(at: argument)), for: caller))
      default: throw .noSuchCall
      }
      return .value(0)
    } catch {
      return .error(error)
    }
  }

  /// Signals the other end of a channel.
  public func send(_ number: EventPort, from domain: DomainPointer) throws(HypercallError) {
    guard let record = port(number, of: domain) else { throw .invalid }
    switch record.pointee.kind {
    case .interdomain:
      guard let other = domains.find(record.pointee.remoteDomain) else { return }
      setPending(record.pointee.remotePort, of: other)
    case .interprocessor: setPending(number, of: domain)
    // Nobody has bound it yet.
    case .unbound: return
    case .closed, .virtualInterrupt: throw .invalid
    }
  }

  /// Makes a port that another domain can bind to: the hypercall, and the builder of a domain.
  public func allocateUnbound(
    for remote: DomainID, in domain: DomainPointer
  ) throws(HypercallError) -> EventPort {
    let number = try allocatePort(of: domain)
    guard let record = port(number, of: domain) else { throw .noSpace }
    record.pointee = PortRecord()
    record.pointee.kind = .unbound
    record.pointee.remoteDomain = remote
    return number
  }

  private func allocateUnbound(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let domain = try target(DomainID(try readQuarter(at: argument)), for: caller)
    let remote = DomainID(try readQuarter(at: try place(argument, 2)))
    let number = try allocateUnbound(
      for: remote == .caller ? caller.domain.pointee.id : remote, in: domain)
    try write(half: number.rawValue, to: try place(argument, 4))
  }

  private func bindInterdomain(
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
    let number = try allocatePort(of: caller.domain)
    guard let record = port(number, of: caller.domain) else { throw .noSpace }
    record.pointee = PortRecord()
    record.pointee.kind = .interdomain
    record.pointee.remoteDomain = other.pointee.id
    record.pointee.remotePort = remotePort
    end.pointee.kind = .interdomain
    end.pointee.remotePort = number
    // What was sent before the binding is lost; the first event makes the guest look.
    setPending(number, of: caller.domain)
    try write(half: number.rawValue, to: try place(argument, 8))
  }

  private func bindInterrupt(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let interrupt = try readHalf(at: argument)
    let index = try readHalf(at: try place(argument, 4))
    guard interrupt < VirtualInterrupt.count,
      VirtualInterrupt.isPerVCPU(interrupt) || index == 0
    else { throw .invalid }
    let vcpu = try vcpu(index, of: caller.domain)
    guard vcpu.pointee.interruptPorts[Int(interrupt)].rawValue == 0 else { throw .exists }
    let number = try allocatePort(of: caller.domain)
    guard let record = port(number, of: caller.domain) else { throw .noSpace }
    record.pointee = PortRecord()
    record.pointee.kind = .virtualInterrupt
    record.pointee.interrupt = UInt8(truncatingIfNeeded: interrupt)
    record.pointee.vcpu = VCPUID(index)
    vcpu.pointee.interruptPorts[Int(interrupt)] = number
    try write(half: number.rawValue, to: try place(argument, 8))
  }

  private func bindInterprocessor(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let index = try readHalf(at: argument)
    _ = try vcpu(index, of: caller.domain)
    let number = try allocatePort(of: caller.domain)
    guard let record = port(number, of: caller.domain) else { throw .noSpace }
    record.pointee = PortRecord()
    record.pointee.kind = .interprocessor
    record.pointee.vcpu = VCPUID(index)
    try write(half: number.rawValue, to: try place(argument, 4))
  }

  private func bindVCPU(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let number = try readPort(argument, 0)
    let index = try readHalf(at: try place(argument, 4))
    _ = try vcpu(index, of: caller.domain)
    guard let record = port(number, of: caller.domain) else { throw .invalid }
    switch record.pointee.kind {
    case .unbound, .interdomain: break
    case .virtualInterrupt where !VirtualInterrupt.isPerVCPU(UInt32(record.pointee.interrupt)):
      break
    case .closed, .interprocessor, .virtualInterrupt: throw .invalid
    }
    record.pointee.vcpu = VCPUID(index)
  }

  private func tellStatus(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    let domain = try target(DomainID(try readQuarter(at: argument)), for: caller)
    guard let record = port(try readPort(argument, 4), of: domain) else { throw .invalid }
    let port = record.pointee
    try write(half: UInt32(port.kind.rawValue), to: try place(argument, 8))
    try write(half: port.vcpu.rawValue, to: try place(argument, 12))
    switch port.kind {
    case .unbound:
      try write(half: UInt32(port.remoteDomain.rawValue), to: try place(argument, 16))
    case .interdomain:
      try write(half: UInt32(port.remoteDomain.rawValue), to: try place(argument, 16))
      try write(half: port.remotePort.rawValue, to: try place(argument, 20))
    case .virtualInterrupt:
      try write(half: UInt32(port.interrupt), to: try place(argument, 16))
    case .closed, .interprocessor: break
    }
  }

  private func vcpu(
    _ index: UInt32, of domain: DomainPointer
  ) throws(HypercallError) -> UnsafeMutablePointer<VCPU> {
    guard Int(index) < domain.pointee.vcpuCount else { throw .noEntry }
    return domain.pointee.vcpus[Int(index)]
  }

  private func place(
    _ argument: GuestVirtualAddress, _ offset: UInt64
  ) throws(HypercallError) -> GuestVirtualAddress {
    try element(offset, ofSize: 1, from: argument)
  }

  private func readPort(
    _ argument: GuestVirtualAddress, _ offset: UInt64
  ) throws(HypercallError) -> EventPort {
    EventPort(try readHalf(at: try place(argument, offset)))
  }
}
