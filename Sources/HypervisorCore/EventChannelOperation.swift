// Hypercall event_channel_op: the table of operations, and what needs no port of its own. How ports
// are made is in PortBinding.swift, how they end in PortClosing.swift.

import CXenABI

extension Hypervisor {
  /// event_channel_op(command, argument).
  ///
  /// Each field is read once. Where the answer cannot be written the operation stays done, as in Xen.
  public func eventChannelOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    let argument = GuestVirtualAddress(arguments[1])
    let domain = caller.domain
    let command = Int32(truncatingIfNeeded: arguments[0])
    do throws(HypercallError) {
      switch command {
      case EVTCHNOP_bind_interdomain: try bindInterdomain(argument, caller)
      case EVTCHNOP_bind_virq: try bindInterrupt(argument, caller)
      case EVTCHNOP_bind_pirq: try bindPhysical(argument, caller)
      case EVTCHNOP_close: try close(try readPort(argument, 0), of: domain)
      case EVTCHNOP_send: try send(try readPort(argument, 0), from: domain)
      case EVTCHNOP_status: try tellStatus(argument, caller)
      case EVTCHNOP_alloc_unbound: try allocateUnbound(argument, caller)
      case EVTCHNOP_bind_ipi: try bindInterprocessor(argument, caller)
      case EVTCHNOP_bind_vcpu: try bindVCPU(argument, caller)
      case EVTCHNOP_unmask: try unmask(try readPort(argument, 0), of: domain)
      case EVTCHNOP_reset, resetContinuation:
        let other = try target(DomainID(try readQuarter(at: argument)), for: caller)
        return try reset(other, &arguments, isContinuation: command == resetContinuation)
      case EVTCHNOP_init_control: return try initialiseControl(argument, caller)
      case EVTCHNOP_expand_array: return try expandArray(argument, caller)
      case EVTCHNOP_set_priority: try setPriority(argument, caller)
      default: throw .noSuchCall
      }
      return .value(0)
    } catch {
      return .error(error)
    }
  }

  /// Signals the other end of a channel.
  @inline(__always)
  public func send(_ number: EventPort, from domain: DomainPointer) throws(HypercallError) {
    guard let record = port(number, of: domain) else { throw .invalid }
    switch record.pointee.kind {
    case .interdomain:
      guard let other = domains.find(record.pointee.remoteDomain) else { return }
      setPending(record.pointee.remotePort, of: other)
    case .interprocessor: setPending(number, record, of: domain)
    // Nobody has bound it yet.
    case .unbound: return
    case .closed, .virtualInterrupt, .physicalInterrupt: throw .invalid
    }
  }

  private func tellStatus(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    // All of the structure must be there, the part for the answer as well.
    let words = try readWords(3, from: argument)
    let domain = try target(DomainID(UInt16(truncatingIfNeeded: words[0])), for: caller)
    let number = EventPort(UInt32(truncatingIfNeeded: words[0] >> 32))
    let port: PortRecord
    if let record = self.port(number, of: domain) {
      port = record.pointee
    } else if number.rawValue > 0, Int(number.rawValue) < PortTable.bucketSize {
      // The first ports exist before their records do.
      port = PortRecord()
    } else {
      throw .invalid
    }
    try write(half: port.kind.status, to: try place(argument, 8))
    try write(half: port.vcpu.rawValue, to: try place(argument, 12))
    switch port.kind {
    case .unbound:
      try write(half: UInt32(port.remoteDomain.rawValue), to: try place(argument, 16))
    case .interdomain:
      try write(half: UInt32(port.remoteDomain.rawValue), to: try place(argument, 16))
      try write(half: port.remotePort.rawValue, to: try place(argument, 20))
    case .virtualInterrupt, .physicalInterrupt:
      try write(half: UInt32(port.interrupt), to: try place(argument, 16))
    case .closed, .interprocessor: break
    }
  }

  /// The vcpu that a guest names.
  func vcpu(
    _ index: UInt32, of domain: DomainPointer
  ) throws(HypercallError) -> UnsafeMutablePointer<VCPU> {
    guard Int(index) < domain.pointee.vcpuCount else { throw .noEntry }
    return domain.pointee.vcpus[Int(index)]
  }

  /// A place in an argument.
  func place(
    _ argument: GuestVirtualAddress, _ offset: UInt64
  ) throws(HypercallError) -> GuestVirtualAddress {
    try element(offset, ofSize: 1, from: argument)
  }

  /// Reads a port out of an argument.
  func readPort(
    _ argument: GuestVirtualAddress, _ offset: UInt64
  ) throws(HypercallError) -> EventPort {
    EventPort(try readHalf(at: try place(argument, offset)))
  }
}
