// Hypercall mmuext_op: pins, base pointers, flushes, the LDT and whole pages.

extension Hypervisor {
  /// mmuext_op(operations, count, done, foreign domain).
  ///
  /// Elements are 24 bytes.
  public func mmuExtendedOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    do throws(HypercallError) {
      let owner = try target(DomainID(UInt16(truncatingIfNeeded: arguments[3])), for: caller)
      return try runBatch(&arguments, wordCount: 3, of: owner) {
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
    switch command {
    case 0...3: try pin(frame, level: Int(command) + 1, of: owner)
    case 4: try unpin(frame, of: owner)
    case 5: try loadKernelTable(frame, for: caller)
    case 15: try setUserTable(frame, for: caller)
    case 16: try overwrite(frame, with: nil, of: owner)
    case 17: try overwrite(frame, with: MachineFrame(second), of: owner)
    case 19, 20: throw .refused(.notSupported)
    default:
      // What is left concerns the caller's own processor state.
      guard owner == caller.domain else { throw .refused(.notPermitted) }
      try performLocal(command, GuestVirtualAddress(first), second, caller)
    }
  }

  private func performLocal(
    _ command: UInt32, _ address: GuestVirtualAddress, _ second: UInt64, _ caller: Caller
  ) throws(MemoryError) {
    switch command {
    case 6: flushLocal()
    case 7:
      if address.isCanonical, !address.isInHypervisorRange { machine.invalidatePage(address) }
    case 8, 9:
      let set: ProcessorSet
      do { set = try processors(of: caller.domain, inBitmapAt: GuestVirtualAddress(second)) } catch
      { throw .refused(.invalid) }
      flushGuest(command == 9 ? address : nil, on: set)
    case 10, 11: flushGuest(command == 11 ? address : nil, on: processors(of: caller.domain))
    case 12, 18:
      guard caller.domain.pointee.isPrivileged else {
        throw .refused(command == 12 ? .accessDenied : .invalid)
      }
      machine.flushCaches(everywhere: command == 18)
    case 13:
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
