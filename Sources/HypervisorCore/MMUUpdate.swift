// Hypercall mmu_update: a batch of changes to page tables, or to M2P entries.

import CXenABI

extension Hypervisor {
  /// mmu_update(requests, count, done, foreign domain).
  ///
  /// Elements are 16 bytes: machine address with the command in bits 1 and 0, and value. A bad guest
  /// would name frames of others, slots of the hypervisor, tables as memory and memory as tables.
  public func mmuUpdate(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    guard isOwn(arguments[3], of: caller) || machine.holdsAll else {
      machine.askForAll()
      return .again
    }
    do throws(HypercallError) {
      let owner = try tableOwner(arguments[3], for: caller)
      let low = DomainID(UInt16(truncatingIfNeeded: arguments[3]))
      let mapped = try mappingTarget(low, for: caller)
      return try runBatch(&arguments, wordCount: 2, of: owner) {
        (request) throws(MemoryError) in
        try update(request.first, request.second, of: owner, mapping: mapped)
      }
    } catch {
      return .error(error)
    }
  }

  /// The owner of the tables: the high half of the argument less 1, or the caller for 0.
  private func tableOwner(
    _ argument: UInt64, for caller: Caller
  ) throws(HypercallError) -> DomainPointer {
    let high = UInt16(truncatingIfNeeded: argument >> 16)
    return high == 0 ? caller.domain : try target(DomainID(high - 1), for: caller)
  }

  private func update(
    _ pointer: UInt64, _ value: UInt64, of owner: DomainPointer, mapping target: DomainID
  ) throws(MemoryError) {
    let address = MachineAddress(pointer & ~3)
    let command = Int32(pointer & 3)
    switch command {
    case MMU_NORMAL_PT_UPDATE, MMU_PT_UPDATE_PRESERVE_AD, MMU_PT_UPDATE_NO_TRANSLATE:
      // An entry that straddles two would be checked as neither.
      guard address.value & 7 == 0 else { throw .refused(.invalid) }
      try writeEntry(
        value, at: address, of: owner, mapping: target,
        preservingAccess: command == MMU_PT_UPDATE_PRESERVE_AD)
    default:
      let frame = address.frame
      guard takeReference(to: frame, ownedBy: target) else { throw .refused(.invalid) }
      physicalFrames[frame] = PseudoPhysicalFrame(value)
      dropReference(to: frame)
    }
  }
}
