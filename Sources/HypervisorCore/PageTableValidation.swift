// Promotion of a frame to a page table: every entry is checked and counted. Interrupted work stays
// in the frame record (`validating`, `progress`), so that the same operation later goes on there,
// and a different one can undo it.

import X86

extension Hypervisor {
  /// Validates the entries of a frame that is about to become a table.
  ///
  /// The frame has no use and is writable nowhere; processors that might still write through an old
  /// translation have flushed. Recursion goes down one level at a time, so at most three deep.
  func validateTable(
    _ frame: MachineFrame, as type: FrameType, in domain: DomainPointer
  ) throws(MemoryError) {
    let record = frames[frame]
    if !record.pointee.flags.contains(.validating) {
      guard record.pointee.references < FrameRecord.countLimit else { throw .refused(.invalid) }
      record.pointee.flags.insert(.validating)
      record.pointee.references += 1
      record.pointee.type = type
      record.pointee.progress = 0
    }
    record.pointee.flags.insert(.active)
    defer { record.pointee.flags.remove(.active) }
    do {
      if type == .level3, domain.pointee.is32Bit { try prepareCompatTop(frame) }
      if type == .level1 {
        try validateLeaves(frame, in: domain)
      } else {
        try validateTableEntries(frame, as: type, in: domain)
      }
    } catch {
      if error != .preempted { abandonValidation(of: frame) }
      throw error
    }
    if type == .level4 { installReservedEntries(in: frame) }
    if type == .level2High { installCompatEntries(in: frame, of: domain) }
    record.pointee.flags.remove(.validating)
    record.pointee.progress = 0
    dropReference(to: frame)
  }

  private func validateLeaves(
    _ frame: MachineFrame, in domain: DomainPointer
  ) throws(MemoryError) {
    let words = machine.words(of: frame)
    let record = frames[frame]
    let owner = domain.pointee.id
    var index = Int(record.pointee.progress)
    while index < 512 {
      let entry = PageTableEntry(rawValue: words[index])
      if entry.isPresent {
        do throws(MemoryError) {
          try acquireLeaf(entry, in: domain, mapping: owner)
        } catch {
          record.pointee.progress = UInt16(truncatingIfNeeded: index)
          throw error
        }
        words[index] = Self.adjustedLeaf(entry, of: domain).rawValue
      }
      index += 1
    }
    record.pointee.progress = 512
  }

  private func validateTableEntries(
    _ frame: MachineFrame, as type: FrameType, in domain: DomainPointer
  ) throws(MemoryError) {
    let words = machine.words(of: frame)
    let record = frames[frame]
    let level = type.level
    while record.pointee.progress < 512 {
      // Most entries of such a table are empty.
      var index = Int(record.pointee.progress)
      while index < 511, !PageTableEntry(rawValue: words[index]).isPresent { index += 1 }
      record.pointee.progress = UInt16(truncatingIfNeeded: index)
      let entry = PageTableEntry(rawValue: words[index])
      if entry.isPresent, !Self.isReserved(index, in: type, of: domain) {
        if shallYield { throw .preempted }
        try acquireTableEntry(entry, level: level, in: frame, at: index, of: domain)
        words[index] = Self.adjustedTableEntry(entry, level: level, of: domain).rawValue
      }
      record.pointee.progress += 1
    }
  }

  /// Whatever the guest wrote into the reserved slots is overwritten.
  ///
  /// The M2P table's slot stays empty until the table becomes a kernel's: user mode need not see it.
  private func installReservedEntries(in frame: MachineFrame) {
    let words = machine.words(of: frame)
    for index in 0..<16 { words[256 + index] = state.pointee.reservedEntries[index] }
    words[Self.machineToPhysicalSlot] = 0
  }
}
