// Hypercall memory_op: the table of operations, and those that only tell something.

import CXenABI

extension Hypervisor {
  /// memory_op(command, argument).
  ///
  /// Bits above 5 of the command are the progress of a call that goes on after an interruption.
  public func memoryOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    let argument = GuestVirtualAddress(arguments[1])
    do throws(HypercallError) {
      switch Int32(arguments[0] & 0x3f) {
      case XENMEM_increase_reservation:
        return try changeReservation(.increase, &arguments, from: caller)
      case XENMEM_decrease_reservation:
        return try changeReservation(.decrease, &arguments, from: caller)
      case XENMEM_populate_physmap:
        return try changeReservation(.populate, &arguments, from: caller)
      case XENMEM_maximum_ram_page:
        return .value(Int64(truncatingIfNeeded: state.pointee.highestFrame.number))
      case XENMEM_current_reservation:
        return .value(count(try named(at: argument, caller).pointee.pageCount))
      case XENMEM_maximum_reservation:
        return .value(count(try named(at: argument, caller).pointee.pageLimit))
      case XENMEM_maximum_gpfn:
        return .value(count(try named(at: argument, caller).pointee.highestFrame))
      case XENMEM_exchange: return try exchangeMemory(&arguments, from: caller)
      case XENMEM_machphys_mapping: return try tellMachphysMapping(at: argument, caller.domain)
      case XENMEM_machphys_mfn_list: return try tellMachphysFrames(at: argument)
      case let command: return try memoryQuery(command, at: argument, from: caller)
      }
    } catch {
      return .error(error)
    }
  }

  private func count(_ value: UInt64) -> Int64 { Int64(clamping: value) }

  private func named(
    at address: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) -> DomainPointer {
    try target(DomainID(try readQuarter(at: address)), for: caller)
  }

  /// Where the M2P table is, and its last valid index.
  private func tellMachphysMapping(
    at address: GuestVirtualAddress, _ domain: DomainPointer
  ) throws(HypercallError) -> HypercallResult {
    var range = (UInt64(MACH2PHYS_VIRT_START), UInt64(MACH2PHYS_VIRT_END))
    var last = physicalFrames.count - 1
    if domain.pointee.is32Bit {
      let start = domain.pointee.reservedStart
      range = (start, min(start + UInt64(state.pointee.compatWindowCount) << 21, 0xffff_f000))
      last = min(last, (range.1 - start) / 4 - 1)
    }
    try write(range.0, to: address)
    try write(range.1, to: try element(1, ofSize: 8, from: address))
    try write(last, to: try element(2, ofSize: 8, from: address))
    return .value(0)
  }

  /// The frames of the M2P table in extents of 2 MiB, for privileged domains that map it elsewhere.
  ///
  /// None is told: the table is not made of such extents, and every guest has it in the hole.
  private func tellMachphysFrames(
    at address: GuestVirtualAddress
  ) throws(HypercallError) -> HypercallResult {
    _ = try readWords(3, from: address)
    try write(half: 0, to: try element(2, ofSize: 8, from: address))
    return .value(0)
  }
}
