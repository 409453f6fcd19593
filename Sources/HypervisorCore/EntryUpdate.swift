// Changing one entry of a page table, or one word of ordinary memory, on behalf of a guest.

import X86

extension Hypervisor {
  /// Writes a word at a machine address, as mmu_update does.
  ///
  /// `owner` owns the frame that is written, `target` those that a last-level entry may map. In a
  /// table the word is an entry and is checked; in other memory of the owner it is just written.
  func writeEntry(
    _ value: UInt64, at address: MachineAddress, of owner: DomainPointer, mapping target: DomainID,
    preservingAccess: Bool
  ) throws(MemoryError) {
    let frame = address.frame
    let index = address.offset >> 3
    guard frames.contains(frame) else { throw .refused(.invalid) }
    let record = frames[frame]
    let entry = PageTableEntry(rawValue: value)
    if record.pointee.type == .level1, record.pointee.typeUses > 0 {
      guard record.pointee.owner == owner.pointee.id else { throw .refused(.invalid) }
      // What a leaf maps is memory, so the table keeps its use, and needs no reference meanwhile.
      try changeLeaf(
        frame, index, to: entry, in: owner, mapping: target, preservingAccess: preservingAccess)
    } else {
      try writeOther(entry, to: frame, index, of: owner, preservingAccess: preservingAccess)
    }
  }

  /// Writes to a frame that is no last-level table.
  @inline(never)
  private func writeOther(
    _ entry: PageTableEntry, to frame: MachineFrame, _ index: Int, of owner: DomainPointer,
    preservingAccess: Bool
  ) throws(MemoryError) {
    guard takeReference(to: frame, ownedBy: owner.pointee.id) else { throw .refused(.invalid) }
    defer { dropReference(to: frame) }
    let record = frames[frame]
    if record.pointee.typeUses > 0, record.pointee.type.level > 1 {
      try changeTableEntry(
        frame, index, to: entry, in: owner, preservingAccess: preservingAccess)
    } else {
      try takeType(.writable, of: frame, in: owner)
      machine.words(of: frame)[index] = entry.rawValue
      dropType(of: frame)
    }
  }

  /// Replaces an entry of a validated last-level table.
  func changeLeaf(
    _ table: MachineFrame, _ index: Int, to entry: PageTableEntry, in domain: DomainPointer,
    mapping target: DomainID, preservingAccess: Bool
  ) throws(MemoryError) {
    let word = machine.words(of: table) + index
    let old = PageTableEntry(rawValue: word.pointee)
    guard entry.isPresent else {
      try prepareRelease(of: old, in: domain)
      store(entry, to: word, found: old, preservingAccess: preservingAccess)
      releaseLeaf(old)
      return
    }
    let adjusted = Self.adjustedLeaf(entry, of: domain)
    if Self.holdsSame(old, entry) {
      // The same frame with the same right to write counts the same.
      guard entry.flags.isDisjoint(with: refusedLeafFlags(for: domain)) else {
        throw .refused(.invalid)
      }
      store(adjusted, to: word, found: old, preservingAccess: preservingAccess)
      return
    }
    try prepareRelease(of: old, in: domain)
    try acquireLeaf(entry, in: domain, mapping: target)
    store(adjusted, to: word, found: old, preservingAccess: preservingAccess)
    releaseLeaf(old)
  }

  /// Replaces an entry of a validated table of level 2 to 4.
  private func changeTableEntry(
    _ table: MachineFrame, _ index: Int, to entry: PageTableEntry, in domain: DomainPointer,
    preservingAccess: Bool
  ) throws(MemoryError) {
    let type = frames[table].pointee.type
    let level = type.level
    // The reserved slots are the hypervisor's own entries.
    if Self.isFixed(index, in: type, of: domain) { throw .refused(.invalid) }
    let word = machine.words(of: table) + index
    let old = PageTableEntry(rawValue: word.pointee)
    let adjusted = Self.adjustedTableEntry(entry, level: level, of: domain)
    if !entry.isPresent || Self.holdsSame(old, entry) {
      guard !entry.isPresent || entry.flags.isDisjoint(with: Self.refusedTableFlags) else {
        throw .refused(.invalid)
      }
      store(adjusted, to: word, found: old, preservingAccess: preservingAccess)
      if !entry.isPresent { releaseTableEntry(old, level: level, in: table) }
      return
    }
    try acquireTableEntry(entry, level: level, in: table, at: index, of: domain)
    // Validation of the subtable may have gone through this very table only by reading it.
    store(adjusted, to: word, found: old, preservingAccess: preservingAccess)
    releaseTableEntry(old, level: level, in: table)
  }

  /// Whether two entries are present and count the same.
  private static func holdsSame(_ a: PageTableEntry, _ b: PageTableEntry) -> Bool {
    a.isPresent && b.isPresent && (a.rawValue ^ b.rawValue) & (PageTableEntry.frameMask | 2) == 0
  }

  /// Stores an entry over one that only the processor can be changing.
  @inline(__always)
  private func store(
    _ entry: PageTableEntry, to word: UnsafeMutablePointer<UInt64>, found: PageTableEntry,
    preservingAccess: Bool
  ) {
    let access: EntryFlags = [.accessed, .dirty]
    var expected = found.rawValue
    while true {
      let kept = preservingAccess ? expected & access.rawValue : 0
      let seen = machine.compareExchange(
        word, expected: expected, desired: entry.rawValue | kept)
      if seen == expected { return }
      expected = seen
    }
  }

  /// The validated last-level table and the index that translate an address under a top-level
  /// table.
  ///
  /// Entries are followed as the processor does, linear ones included; what comes out must be typed
  /// as a last-level table.
  @inline(__always)
  func leaf(
    for address: GuestVirtualAddress, under top: MachineFrame
  ) -> (table: MachineFrame, index: Int)? {
    guard address.isCanonical, !address.isInHypervisorRange else { return nil }
    let third: MachineFrame
    if frames[top].pointee.type == .level3 {
      // Three levels: an address above 4 GiB would be taken for one below.
      guard address.value >> 32 == 0 else { return nil }
      third = top
    } else {
      guard let found = step(from: top, address.index(level: 4)) else { return nil }
      third = found
    }
    guard let second = step(from: third, address.index(level: 3)),
      let table = step(from: second, address.index(level: 2))
    else { return nil }
    let record = frames[table]
    guard record.pointee.type == .level1, record.pointee.typeUses > 0 else { return nil }
    return (table, address.index(level: 1))
  }

  /// The frame of RAM that an entry of a table names.
  @inline(__always)
  private func step(from table: MachineFrame, _ index: Int) -> MachineFrame? {
    let entry = PageTableEntry(rawValue: machine.words(of: table)[index])
    let frame = MachineFrame(entry.frameNumber)
    return entry.isPresent && frames.isMemory(frame) ? frame : nil
  }
}
