// What one page-table entry may be, and the counts that it holds. Every entry that a processor can
// ever see has passed here.

import X86

extension Hypervisor {
  /// Slots 256 to 271 of a top-level table are the hypervisor's.
  @inlinable static func isReservedSlot(_ index: Int) -> Bool { index & 0x1f0 == 0x100 }

  /// Flags that an entry of levels 2 to 4 must not have: cache attributes, large page, global.
  static var refusedTableFlags: EntryFlags { [.writeThrough, .cacheDisabled, .large, .global] }

  /// Flags that a last-level entry must not have, which are cache attributes, unless the domain has
  /// hardware of its own.
  func refusedLeafFlags(for domain: DomainPointer) -> EntryFlags {
    domain.pointee.isPrivileged ? [] : [.writeThrough, .cacheDisabled, .attributeTable]
  }

  /// Counts what a last-level entry maps: a reference, and for a writable entry a use.
  ///
  /// `domain` is the table's owner, `target` the domain whose frames may be mapped. Xen 4.17
  /// answers EBUSY where a frame is not the target's or not to be had writable.
  @inline(__always)
  func acquireLeaf(
    _ entry: PageTableEntry, in domain: DomainPointer, mapping target: DomainID
  ) throws(MemoryError) {
    guard entry.isPresent, !countOrdinaryLeaf(entry, mapping: target) else { return }
    try acquireUnusualLeaf(entry, in: domain, mapping: target)
  }

  /// Counts what nearly every entry is: a page of the target's without cache attributes, read-only
  /// or writable already.
  ///
  /// False, and nothing counted, where the entry asks for more than that.
  @inline(__always)
  private func countOrdinaryLeaf(_ entry: PageTableEntry, mapping target: DomainID) -> Bool {
    let frame = MachineFrame(entry.frameNumber)
    let unusual: EntryFlags = [.writeThrough, .cacheDisabled, .attributeTable]
    guard entry.flags.isDisjoint(with: unusual), frames.contains(frame) else { return false }
    let record = frames[frame]
    guard record.pointee.owner == target, record.pointee.references > 0,
      record.pointee.references < FrameRecord.countLimit
    else { return false }
    if entry.isWritable {
      // Memory that was writable last stays so: no other use came between, so no flush is due.
      guard record.pointee.type == .writable,
        record.pointee.flags.isDisjoint(with: .inTransit),
        record.pointee.typeUses < FrameRecord.countLimit
      else { return false }
      record.pointee.typeUses += 1
    }
    record.pointee.references += 1
    return true
  }

  @inline(never)
  private func acquireUnusualLeaf(
    _ entry: PageTableEntry, in domain: DomainPointer, mapping target: DomainID
  ) throws(MemoryError) {
    guard entry.flags.isDisjoint(with: refusedLeafFlags(for: domain)) else {
      throw .refused(.invalid)
    }
    let frame = MachineFrame(entry.frameNumber)
    guard frames.isMemory(frame) else {
      // I/O memory is not counted: it is never freed and never a table.
      guard domain.pointee.isPrivileged, frame.number < state.pointee.frameNumberLimit,
        target == .io || target == domain.pointee.id
      else { throw .refused(.notPermitted) }
      return
    }
    guard takeReference(to: frame, ownedBy: target) else { throw .refused(.busy) }
    guard entry.isWritable else { return }
    do { try takeType(.writable, of: frame, in: domain) } catch {
      dropReference(to: frame)
      guard error == .preempted else { throw .refused(.busy) }
      // Another domain's list is not worked off by this domain's calls, so it is done here.
      if target != domain.pointee.id, let owner = domains.find(target) { try drain(owner) }
      throw .preempted
    }
  }

  /// Gives back what an accepted last-level entry counted.
  @inline(__always)
  func releaseLeaf(_ entry: PageTableEntry) {
    guard entry.isPresent else { return }
    let frame = MachineFrame(entry.frameNumber)
    guard frames.isMemory(frame) else { return }
    let record = frames[frame]
    if entry.isWritable {
      precondition(
        record.pointee.type == .writable && record.pointee.typeUses > 0, "Use count below zero")
      record.pointee.typeUses -= 1
      if record.pointee.typeUses == 0 { record.pointee.stamp = state.pointee.clock.time }
    }
    dropReference(to: frame)
  }

  /// Gives back what nearly every entry counted: a frame of the table's owner, which keeps it.
  ///
  /// False, and nothing given back, where it is another.
  @inline(__always)
  func releaseOwnLeaf(_ entry: PageTableEntry, in domain: DomainPointer) -> Bool {
    guard entry.isPresent else { return true }
    let frame = MachineFrame(entry.frameNumber)
    guard frames.contains(frame) else { return true }
    let record = frames[frame]
    guard record.pointee.owner == domain.pointee.id, record.pointee.references > 1 else {
      return false
    }
    if entry.isWritable {
      precondition(
        record.pointee.type == .writable && record.pointee.typeUses > 0, "Use count below zero")
      record.pointee.typeUses -= 1
      if record.pointee.typeUses == 0 { record.pointee.stamp = state.pointee.clock.time }
    }
    record.pointee.references -= 1
    return true
  }

  /// Counts what an entry of level 2 to 4 in a table names: a table of the next level, validated if
  /// need be, or by the rules of linear tables one of the same level.
  func acquireTableEntry(
    _ entry: PageTableEntry, level: Int, in table: MachineFrame, at index: Int,
    of domain: DomainPointer
  ) throws(MemoryError) {
    guard entry.isPresent else { return }
    guard entry.flags.isDisjoint(with: Self.refusedTableFlags) else { throw .refused(.invalid) }
    let frame = MachineFrame(entry.frameNumber)
    let isCompatTop = level == 3 && domain.pointee.is32Bit
    if frame == table {
      // What a 32-bit top table names is writable there, so it must not be one itself.
      guard !isCompatTop else { throw .refused(.invalid) }
      // A table may map itself, read-only. It counts nothing, or it could never be taken apart.
      guard !entry.isWritable else { throw .refused(.invalid) }
      return
    }
    guard takeReference(to: frame, ownedBy: domain.pointee.id) else { throw .refused(.invalid) }
    let type: FrameType =
      isCompatTop && index == CompatTable.highIndex ? .level2High : .table(level: level - 1)
    do { try takeType(type, of: frame, in: domain) } catch {
      if error == .refused(.invalid), !isCompatTop,
        acquireLinear(frame, level: level, in: table, entry: entry)
      {
        return
      }
      dropReference(to: frame)
      throw error
    }
  }

  /// Lets an entry name another table of its own level.
  ///
  /// Such an entry must be read-only, and a table that has one must not be named by one: else a
  /// chain of them would have no end to take it apart from.
  private func acquireLinear(
    _ frame: MachineFrame, level: Int, in table: MachineFrame, entry: PageTableEntry
  ) -> Bool {
    let target = frames[frame]
    let source = frames[table]
    guard !entry.isWritable, target.pointee.type.level == level,
      target.pointee.typeUses > 0, target.pointee.typeUses < FrameRecord.countLimit,
      target.pointee.linear <= 0, target.pointee.linear > .min,
      source.pointee.linear >= 0, source.pointee.linear < .max
    else { return false }
    target.pointee.typeUses += 1
    target.pointee.linear -= 1
    source.pointee.linear += 1
    return true
  }

  /// Gives back what an accepted entry of level 2 to 4 counted.
  ///
  /// A subtable that loses its last use is queued.
  func releaseTableEntry(_ entry: PageTableEntry, level: Int, in table: MachineFrame) {
    guard entry.isPresent else { return }
    let frame = MachineFrame(entry.frameNumber)
    guard frame != table else { return }
    if frames[frame].pointee.type.level == level {
      frames[frame].pointee.linear += 1
      frames[table].pointee.linear -= 1
    }
    drop(frame)
  }

  /// What a validated last-level entry reads: ring 3 has access to every page of a 64-bit guest, whose
  /// kernel runs there.
  ///
  /// Bit 52 keeps that the guest did not ask for it; the other pages are global, so that they
  /// stay in the TLB on the way between user and kernel.
  @inline(__always)
  static func adjustedLeaf(_ entry: PageTableEntry, of domain: DomainPointer) -> PageTableEntry {
    guard entry.isPresent, !domain.pointee.is32Bit else { return entry }
    var adjusted = entry
    if !entry.flags.contains(.user) { adjusted.flags.insert([.guestKernel, .user]) }
    if !adjusted.flags.contains(.guestKernel) { adjusted.flags.insert([.global, .user]) }
    return adjusted
  }

  /// What a validated entry of level 2 to 4 reads.
  ///
  /// The four entries of a 32-bit top table have no such flags in the PAE format, and must not forbid
  /// anything in that of long mode.
  static func adjustedTableEntry(
    _ entry: PageTableEntry, level: Int, of domain: DomainPointer
  ) -> PageTableEntry {
    guard entry.isPresent, !domain.pointee.is32Bit || level == 3 else { return entry }
    var adjusted = entry
    adjusted.flags.insert(domain.pointee.is32Bit ? [.user, .writable] : .user)
    return adjusted
  }
}
