// Hypercall mmuext_op: pins, base pointers, flushes, the LDT and whole pages.

import CXenABI

extension Hypervisor {
  /// mmuext_op(operations, count, done, foreign domain).
  ///
  /// Elements are three words, of 32 bits from a 32-bit guest.
  public func mmuExtendedOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    guard isOwn(arguments[3] & 0xffff, of: caller) || machine.holdsAll else {
      machine.askForAll()
      return .again
    }
    do throws(HypercallError) {
      let owner = try target(DomainID(UInt16(truncatingIfNeeded: arguments[3])), for: caller)
      return try runBatch(
        &arguments, wordCount: 3, wordSize: caller.domain.pointee.is32Bit ? 4 : 8, of: owner
      ) {
        (operation) throws(MemoryError) in
        try perform(
          UInt32(truncatingIfNeeded: operation.first), operation.second, operation.third,
          of: owner, from: caller)
      }
    } catch {
      return .error(error)
    }
  }

  private func perform(
    _ command: UInt32, _ first: UInt64, _ second: UInt64, of owner: DomainPointer,
    from caller: Caller
  ) throws(MemoryError) {
    let frame = MachineFrame(first)
    switch Int32(truncatingIfNeeded: command) {
    case MMUEXT_PIN_L1_TABLE...MMUEXT_PIN_L4_TABLE:
      try pin(frame, level: Int(command) - Int(MMUEXT_PIN_L1_TABLE) + 1, of: owner)
    case MMUEXT_UNPIN_TABLE: try unpin(frame, of: owner)
    // The base pointers are the caller's own; a call in another domain's name, whose torn down tables
    // alone it works off, might wait for the caller's for ever.
    case MMUEXT_NEW_BASEPTR where owner == caller.domain:
      try loadKernelTable(frame, for: caller)
    case MMUEXT_NEW_USER_BASEPTR where owner == caller.domain:
      try setUserTable(frame, for: caller)
    case MMUEXT_CLEAR_PAGE: try overwrite(frame, with: nil, of: owner)
    case MMUEXT_COPY_PAGE: try overwrite(frame, with: MachineFrame(second), of: owner)
    case MMUEXT_MARK_SUPER, MMUEXT_UNMARK_SUPER: throw .refused(.notSupported)
    default:
      // What is left concerns the caller's own processor state.
      guard owner == caller.domain else { throw .refused(.notPermitted) }
      try performLocal(command, GuestVirtualAddress(first), second, caller)
    }
  }

  private func performLocal(
    _ command: UInt32, _ address: GuestVirtualAddress, _ second: UInt64, _ caller: Caller
  ) throws(MemoryError) {
    let command = Int32(truncatingIfNeeded: command)
    switch command {
    case MMUEXT_TLB_FLUSH_LOCAL: flushLocal()
    case MMUEXT_INVLPG_LOCAL:
      if address.isCanonical, !address.isInHypervisorRange { machine.invalidatePage(address) }
    case MMUEXT_TLB_FLUSH_MULTI, MMUEXT_INVLPG_MULTI:
      let set: ProcessorSet
      do { set = try processors(of: caller.domain, inBitmapAt: GuestVirtualAddress(second)) } catch
      { throw .refused(.invalid) }
      flushGuest(command == MMUEXT_INVLPG_MULTI ? address : nil, on: set)
    case MMUEXT_TLB_FLUSH_ALL, MMUEXT_INVLPG_ALL:
      flushGuest(command == MMUEXT_INVLPG_ALL ? address : nil, on: processors(of: caller.domain))
    case MMUEXT_FLUSH_CACHE, MMUEXT_FLUSH_CACHE_GLOBAL:
      guard caller.domain.pointee.isPrivileged else {
        throw .refused(command == MMUEXT_FLUSH_CACHE ? .accessDenied : .invalid)
      }
      machine.flushCaches(everywhere: command == MMUEXT_FLUSH_CACHE_GLOBAL)
    case MMUEXT_SET_LDT:
      try setLocalTable(at: address, count: UInt32(truncatingIfNeeded: second), caller)
    default: throw .refused(.noSuchCall)
    }
  }

  /// An address outside the guest's part has no translation of its to flush.
  private func flushGuest(_ address: GuestVirtualAddress?, on set: ProcessorSet) {
    if let address, !address.isCanonical || address.isInHypervisorRange { return }
    flush(address, on: set)
  }

  private func overwrite(
    _ frame: MachineFrame, with source: MachineFrame?, of owner: DomainPointer
  ) throws(MemoryError) {
    if let source {
      guard takeReference(to: source, ownedBy: owner.pointee.id) else {
        throw .refused(.invalid)
      }
    }
    defer { if let source { dropReference(to: source) } }
    try take(frame, as: .writable, ownedBy: owner)
    if let source { machine.copy(source, to: frame) } else { machine.clear(frame) }
    drop(frame)
  }
}
