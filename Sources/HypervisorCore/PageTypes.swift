// Uses of a frame's type: how memory becomes a page table and a page table memory. The rule of
// direct paging: no frame is ever writable and a table, or a table of two levels, at once.

extension Hypervisor {
  /// Takes a use of a frame as a type, and validates the frame if it is the first one.
  ///
  /// The caller holds a reference. Refusals leave everything as it was, `preempted` as well but for
  /// the progress made: the caller drains its domain's teardown list and comes again.
  public func takeType(
    _ type: FrameType, of frame: MachineFrame, in domain: DomainPointer
  ) throws(MemoryError) {
    let record = frames[frame]
    if record.pointee.typeUses > 0 {
      guard record.pointee.type == type, record.pointee.typeUses < FrameRecord.countLimit
      else { throw .refused(.invalid) }
      record.pointee.typeUses += 1
      return
    }
    // An entry under a table that is being validated names that very table.
    if record.pointee.flags.contains(.active) { throw .refused(.invalid) }
    if record.pointee.flags.contains(.tearing) { throw .preempted }
    if record.pointee.flags.contains(.validating), record.pointee.type != type {
      // Somebody began to make a table of it and never came back: that work is undone first.
      abandonValidation(of: frame)
      throw .preempted
    }
    if record.pointee.type != type { flushStale(since: record.pointee.stamp) }
    switch type {
    case .none: throw .refused(.invalid)
    case .writable:
      record.pointee.type = .writable
    case .descriptors:
      guard validateDescriptors(in: frame, of: domain) else { throw .refused(.invalid) }
      record.pointee.type = .descriptors
    case .level1, .level2, .level2High, .level3, .level4:
      try validateTable(frame, as: type, in: domain)
    }
    record.pointee.typeUses = 1
  }

  /// Gives a use back.
  ///
  /// After the last one a table is queued to be torn down.
  public func dropType(of frame: MachineFrame) {
    let record = frames[frame]
    precondition(record.pointee.typeUses > 0, "Use count below zero")
    record.pointee.typeUses -= 1
    guard record.pointee.typeUses == 0 else { return }
    record.pointee.stamp = state.pointee.clock.time
    if record.pointee.type.level > 0 {
      record.pointee.progress = 512
      record.pointee.references += 1
      queueTeardown(of: frame)
    }
  }

  /// Takes a reference and a use at once.
  public func take(
    _ frame: MachineFrame, as type: FrameType, ownedBy owner: DomainPointer
  ) throws(MemoryError) {
    guard takeReference(to: frame, ownedBy: owner.pointee.id) else { throw .refused(.invalid) }
    do { try takeType(type, of: frame, in: owner) } catch {
      dropReference(to: frame)
      throw error
    }
  }

  /// Gives both back.
  public func drop(_ frame: MachineFrame) {
    dropType(of: frame)
    dropReference(to: frame)
  }
}
