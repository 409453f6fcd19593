// Taking tables apart whose last use has ended. The work is a list of frames in each domain, linked
// through the frame records, so that it can stop after any table and needs no stack and no memory.

import X86

extension Hypervisor {
  /// Puts a table on its owner's list: entries below `progress` are still to be released.
  ///
  /// The list takes over one reference that the caller has counted.
  func queueTeardown(of frame: MachineFrame) {
    let record = frames[frame]
    guard let owner = domains.find(record.pointee.owner) else {
      preconditionFailure("Table without owner")
    }
    record.pointee.flags.remove(.validating)
    record.pointee.flags.insert(.tearing)
    record.pointee.next = owner.pointee.teardownHead
    owner.pointee.teardownHead = UInt32(truncatingIfNeeded: frame.number)
  }

  /// Undoes a validation that was interrupted.
  func abandonValidation(of frame: MachineFrame) { queueTeardown(of: frame) }

  /// Works off a domain's list.
  ///
  /// Each function that may have ended a table's use is followed by it.
  ///
  /// Tables are taken depth first: a subtable whose last use ends here comes to the head of the
  /// list. Where other work waits the rest stays for the next call. Tables of higher levels never free
  /// what they name: a subtable that loses its last use is on the list, which is a reference.
  @inline(__always)
  public func drain(_ domain: DomainPointer) throws(MemoryError) {
    if domain.pointee.teardownHead != FrameRecord.endOfList { try drainList(of: domain) }
  }

  @inline(never)
  private func drainList(of domain: DomainPointer) throws(MemoryError) {
    while domain.pointee.teardownHead != FrameRecord.endOfList {
      let head = domain.pointee.teardownHead
      let frame = MachineFrame(UInt64(head))
      let record = frames[frame]
      let words = machine.words(of: frame)
      let level = record.pointee.type.level
      if level == 1 {
        // What a leaf maps is memory, so this list does not grow on the way.
        var index = Int(record.pointee.progress)
        while index > 0 {
          let entry = PageTableEntry(rawValue: words[index - 1])
          if !releaseOwnLeaf(entry, in: domain) {
            do throws(MemoryError) { try prepareRelease(of: entry, in: domain) } catch {
              record.pointee.progress = UInt16(truncatingIfNeeded: index)
              throw error
            }
            releaseLeaf(entry)
          }
          index -= 1
        }
        record.pointee.progress = 0
      }
      while record.pointee.progress > 0, domain.pointee.teardownHead == head {
        // Most entries of such a table are empty.
        var index = Int(record.pointee.progress) - 1
        while index > 0, !PageTableEntry(rawValue: words[index]).isPresent { index -= 1 }
        record.pointee.progress = UInt16(truncatingIfNeeded: index)
        if Self.isReserved(index, in: record.pointee.type, of: domain) { continue }
        releaseTableEntry(PageTableEntry(rawValue: words[index]), level: level, in: frame)
      }
      if domain.pointee.teardownHead == head {
        // A table that is in no reservation any more is freed here.
        if record.pointee.references == 1 { try requireAll() }
        domain.pointee.teardownHead = record.pointee.next
        record.pointee.next = FrameRecord.endOfList
        record.pointee.flags.remove(.tearing)
        record.pointee.stamp = state.pointee.clock.time
        dropReference(to: frame)
      }
      if domain.pointee.teardownHead != FrameRecord.endOfList, shallYield {
        throw .preempted
      }
    }
  }
}
