// Free frames and how they come to domains. Single frames come from a list; runs, which are rare,
// are looked for in the table.

extension Hypervisor {
  /// Hands a frame of RAM to the allocator, at the start.
  public func addFree(_ frame: MachineFrame) {
    frames[frame].pointee = FrameRecord(owner: .invalid)
    pushFree(frame)
    if frame > state.pointee.highestFrame { state.pointee.highestFrame = frame }
  }

  /// Marks a frame of RAM as the hypervisor's own, at the start.
  public func reserve(_ frame: MachineFrame) {
    frames[frame].pointee = FrameRecord(owner: .hypervisor)
    if frame > state.pointee.highestFrame { state.pointee.highestFrame = frame }
  }

  /// Takes a cleared frame for a domain's reservation; nil when none is free.
  ///
  /// The frame counts one reference. The caller has checked the domain's limit.
  public func allocate(for domain: DomainPointer) -> MachineFrame? {
    let head = state.pointee.freeHead
    guard head != FrameRecord.endOfList else { return nil }
    let frame = MachineFrame(UInt64(head))
    state.pointee.freeHead = frames[frame].pointee.next
    take(frame, for: domain)
    return frame
  }

  /// Takes 2 to the power of `order` contiguous, aligned frames; nil when there is no such run.
  public func allocate(order: UInt32, for domain: DomainPointer) -> MachineFrame? {
    guard order > 0 else { return allocate(for: domain) }
    guard order <= 18 else { return nil }
    let size = UInt64(1) << UInt64(order)
    guard size <= state.pointee.freeCount else { return nil }
    var start: UInt64 = 0
    while start + size <= frames.count {
      if isFreeRun(from: start, count: size) {
        removeFreeRun(from: start, count: size)
        for number in start..<start + size { take(MachineFrame(number), for: domain) }
        return MachineFrame(start)
      }
      start += size
    }
    return nil
  }

  /// Takes a frame that the hypervisor shares with a domain: writable for ever, outside its
  /// reservation.
  ///
  /// The hypervisor's reference is `dropShared`'s to give back.
  public func allocateShared(for domain: DomainPointer) -> MachineFrame? {
    guard let frame = allocate(for: domain) else { return nil }
    let record = frames[frame]
    record.pointee.flags = [.shared]
    record.pointee.type = .writable
    record.pointee.typeUses = 1
    domain.pointee.pageCount -= 1
    return frame
  }

  /// Takes a cleared frame for the hypervisor's own use; nil when none is free.
  public func allocateOwn() -> MachineFrame? {
    precondition(machine.holdsAll, "Taken while others work")
    let head = state.pointee.freeHead
    guard head != FrameRecord.endOfList else { return nil }
    let frame = MachineFrame(UInt64(head))
    let record = frames[frame]
    state.pointee.freeHead = record.pointee.next
    state.pointee.freeCount -= 1
    // No guest may go on reaching what the hypervisor writes there.
    flushStale(since: record.pointee.stamp)
    machine.clear(frame)
    record.pointee = FrameRecord(owner: .hypervisor)
    return frame
  }

  /// Puts a frame of `allocateOwn` back.
  public func freeOwn(_ frame: MachineFrame) {
    precondition(frames[frame].pointee.owner == .hypervisor, "Not the hypervisor's frame")
    frames[frame].pointee = FrameRecord(owner: .invalid)
    frames[frame].pointee.stamp = state.pointee.clock.time
    pushFree(frame)
  }

  /// Ends the hypervisor's use of a shared frame.
  public func dropShared(_ frame: MachineFrame) {
    // Where the owner still maps it, it is one more frame that the owner has to let go.
    frames[frame].pointee.flags.remove(.shared)
    if let owner = domains.find(frames[frame].pointee.owner) { owner.pointee.pageCount += 1 }
    dropType(of: frame)
    dropReference(to: frame)
  }

  /// Puts a frame without references back.
  func free(_ frame: MachineFrame) {
    let record = frames[frame]
    precondition(record.pointee.typeUses == 0, "Freed while in use")
    precondition(machine.holdsAll, "Freed while others work")
    if let owner = domains.find(record.pointee.owner) { owner.pointee.pageCount -= 1 }
    record.pointee = FrameRecord(owner: .invalid)
    record.pointee.stamp = state.pointee.clock.time
    physicalFrames[frame] = .none
    pushFree(frame)
  }

  private func pushFree(_ frame: MachineFrame) {
    frames[frame].pointee.next = state.pointee.freeHead
    state.pointee.freeHead = UInt32(truncatingIfNeeded: frame.number)
    state.pointee.freeCount += 1
  }

  /// What another domain left is cleared, and no TLB may reach it any more.
  private func take(_ frame: MachineFrame, for domain: DomainPointer) {
    precondition(machine.holdsAll, "Taken while others work")
    let record = frames[frame]
    flushStale(since: record.pointee.stamp)
    machine.clear(frame)
    state.pointee.freeCount -= 1
    record.pointee = FrameRecord(owner: domain.pointee.id)
    record.pointee.references = 1
    record.pointee.flags = [.allocated]
    domain.pointee.pageCount += 1
    domain.pointee.lowestFrame = min(domain.pointee.lowestFrame, frame.number)
    domain.pointee.endOfFrames = max(domain.pointee.endOfFrames, frame.number + 1)
  }

  private func isFreeRun(from start: UInt64, count: UInt64) -> Bool {
    for number in start..<start + count
    where frames[MachineFrame(number)].pointee.owner != .invalid {
      return false
    }
    return true
  }

  private func removeFreeRun(from start: UInt64, count: UInt64) {
    var previous = FrameRecord.endOfList
    var current = state.pointee.freeHead
    var left = count
    while left > 0, current != FrameRecord.endOfList {
      let next = frames[MachineFrame(UInt64(current))].pointee.next
      if UInt64(current) >= start, UInt64(current) < start + count {
        if previous == FrameRecord.endOfList {
          state.pointee.freeHead = next
        } else {
          frames[MachineFrame(UInt64(previous))].pointee.next = next
        }
        left -= 1
      } else {
        previous = current
      }
      current = next
    }
  }
}
