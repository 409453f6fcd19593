// XENMEM_exchange: frames for others of another shape. No table of frames is needed: those given
// are kept on a list through their records until their replacement is sure.

extension Hypervisor {
  /// Exchanges chunk by chunk; the guest's `nr_exchanged` keeps the progress.
  ///
  /// A frame that is given must be in the caller's reservation and in no use at all.
  func exchangeMemory(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    let place = GuestVirtualAddress(arguments[1])
    let words = try readWords(9, from: place)
    let given = MemoryReservation(words)
    let wanted = MemoryReservation(words, from: 4)
    var done = words[8]
    let limit = highestOrder(for: caller.domain)
    guard given.order <= limit, wanted.order <= limit else { throw .notPermitted }
    let total = given.count.multipliedReportingOverflow(by: given.extentSize)
    let other = wanted.count.multipliedReportingOverflow(by: wanted.extentSize)
    guard !total.overflow, !other.overflow, total.partialValue == other.partialValue,
      given.domain == wanted.domain, done <= given.count
    else { throw .invalid }
    let domain = try target(given.domain, for: caller)
    let progressPlace = try element(8, ofSize: 8, from: place)
    // A chunk is the smallest number of frames that is whole extents on both sides.
    let chunk = max(given.extentSize, wanted.extentSize)
    let step = chunk / given.extentSize
    guard done % step == 0 else { throw .invalid }
    while done < given.count {
      if shallYield {
        try write(done, to: progressPlace)
        return .again
      }
      do throws(HypercallError) {
        try exchangeChunk(from: done, step, given, wanted, of: domain, asTold: caller.domain)
      } catch {
        try write(done, to: progressPlace)
        throw error
      }
      done += step
    }
    try write(done, to: progressPlace)
    return .value(0)
  }

  private func exchangeChunk(
    from start: UInt64, _ step: UInt64, _ given: MemoryReservation, _ wanted: MemoryReservation,
    of domain: DomainPointer, asTold caller: DomainPointer
  ) throws(HypercallError) {
    var stolen = FrameRecord.endOfList
    do throws(HypercallError) {
      for index in start..<start + step {
        let first = try readFrameNumber(index, of: given.list, caller)
        guard first <= frames.count, given.extentSize <= frames.count - first else {
          throw .invalid
        }
        for offset in 0..<given.extentSize {
          let frame = MachineFrame(first + offset)
          guard steal(frame, from: domain, onto: &stolen) else { throw .invalid }
        }
      }
      let frameCount = step * given.extentSize
      let firstWanted = start * given.extentSize / wanted.extentSize
      try fill(
        frameCount / wanted.extentSize, from: firstWanted, wanted, of: domain, asTold: caller)
    } catch {
      returnStolen(stolen, to: domain)
      throw error
    }
    while stolen != FrameRecord.endOfList {
      let frame = MachineFrame(UInt64(stolen))
      stolen = frames[frame].pointee.next
      dropReference(to: frame)
    }
  }

  /// Takes a frame out of a reservation if nothing else refers to it.
  private func steal(
    _ frame: MachineFrame, from domain: DomainPointer, onto list: inout UInt32
  ) -> Bool {
    let record = frames[frame]
    guard record.pointee.owner == domain.pointee.id, record.pointee.references == 1,
      record.pointee.flags == .allocated
    else { return false }
    record.pointee.flags = []
    record.pointee.next = list
    list = UInt32(truncatingIfNeeded: frame.number)
    return true
  }

  private func returnStolen(_ list: UInt32, to domain: DomainPointer) {
    var current = list
    while current != FrameRecord.endOfList {
      let record = frames[MachineFrame(UInt64(current))]
      current = record.pointee.next
      record.pointee.next = FrameRecord.endOfList
      record.pointee.flags = .allocated
    }
  }

  /// Allocates extents and tells the guest their frames.
  ///
  /// What was done stays on an error, so the caller's frames are then exchanged in part for more
  /// memory than the limit; hence all extents are allocated and their list read before anything
  /// is written.
  private func fill(
    _ count: UInt64, from start: UInt64, _ wanted: MemoryReservation, of domain: DomainPointer,
    asTold caller: DomainPointer
  ) throws(HypercallError) {
    var head = FrameRecord.endOfList
    do throws(HypercallError) {
      for index in 0..<count {
        let physical = try readFrameNumber(start + index, of: wanted.list, caller)
        guard let frame = allocate(order: wanted.order, for: domain) else { throw .noMemory }
        // Extents form a list through the records of their first frames.
        frames[frame].pointee.next = head
        head = UInt32(truncatingIfNeeded: frame.number)
        guard isWithin(addressBits: wanted.flags & 0xff, frame, wanted.extentSize) else {
          throw .noMemory
        }
        for offset in 0..<wanted.extentSize {
          physicalFrames[MachineFrame(frame.number + offset)] =
            PseudoPhysicalFrame(physical &+ offset)
        }
        try write(frameNumber: frame.number, start + index, of: wanted.list, caller)
      }
    } catch {
      while head != FrameRecord.endOfList {
        let first = UInt64(head)
        head = frames[MachineFrame(first)].pointee.next
        for offset in 0..<wanted.extentSize {
          _ = giveUp(MachineFrame(first + offset), of: domain)
        }
      }
      throw error
    }
    while head != FrameRecord.endOfList {
      let record = frames[MachineFrame(UInt64(head))]
      head = record.pointee.next
      record.pointee.next = FrameRecord.endOfList
    }
  }
}
