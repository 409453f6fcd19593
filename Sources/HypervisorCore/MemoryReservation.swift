// Hypercall memory_op on lists of extents: increase, decrease, populate.

/// The argument of the reservation operations, copied from the guest.
struct MemoryReservation {
  /// Where the list of extents is.
  var list: GuestVirtualAddress
  /// How many extents.
  var count: UInt64
  /// Binary logarithm of the frames in each.
  var order: UInt32
  /// Bits 0 to 7: address bits that the frames may need, 0 for any.
  var flags: UInt32
  /// Whose memory.
  var domain: DomainID

  /// Takes the fields from the words of the structure, from `start` on.
  init(_ words: InlineArray<9, UInt64>, from start: Int = 0) {
    list = GuestVirtualAddress(words[start])
    count = words[start + 1]
    order = UInt32(truncatingIfNeeded: words[start + 2])
    flags = UInt32(truncatingIfNeeded: words[start + 2] >> 32)
    domain = DomainID(UInt16(truncatingIfNeeded: words[start + 3]))
  }

  /// Frames in an extent, for an order that has been checked.
  var extentSize: UInt64 { 1 << UInt64(order) }
}

/// What an operation does with each extent.
enum ReservationOperation {
  case increase
  case decrease
  case populate
}

extension Hypervisor {
  /// The largest order that a domain may ask for.
  func highestOrder(for domain: DomainPointer) -> UInt32 { domain.pointee.isPrivileged ? 18 : 9 }

  /// Works through the extents; the first `arguments[0] >> 6` are done already.
  ///
  /// Answers how many extents are done. Memory that runs out, a list that cannot be read and a frame
  /// of somebody else only end the work early.
  func changeReservation(
    _ operation: ReservationOperation, _ arguments: inout HypercallArguments, from caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    let start = arguments[0] >> 6
    let request: MemoryReservation
    let domain: DomainPointer
    do throws(HypercallError) {
      request = MemoryReservation(try readWords(4, from: GuestVirtualAddress(arguments[1])))
      domain = try target(request.domain, for: caller)
    } catch {
      // Nothing is done of a request that cannot be read, or for a domain that is not the caller's to
      // change, and that is the answer.
      return .value(Int64(truncatingIfNeeded: start))
    }
    // The progress must fit above the command's bits.
    guard request.count <= UInt64.max >> 6, start < request.count else {
      return .value(Int64(truncatingIfNeeded: min(start, UInt64(Int64.max))))
    }
    guard request.order <= highestOrder(for: caller.domain) else {
      return .value(Int64(truncatingIfNeeded: start))
    }
    var done = start
    do throws(MemoryError) {
      try drain(domain)
      while done < request.count {
        if done > start, shallYield { throw .preempted }
        switch operation {
        case .increase:
          try addExtent(done, of: request, populate: false, to: domain, from: caller.domain)
        case .populate:
          try addExtent(done, of: request, populate: true, to: domain, from: caller.domain)
        case .decrease:
          try removeExtent(done, of: request, from: domain, asTold: caller.domain)
        }
        done += 1
      }
    } catch {
      if error == .preempted {
        arguments[0] = arguments[0] & 0x3f | done << 6
        return .again
      }
    }
    return .value(Int64(truncatingIfNeeded: done))
  }

  private func addExtent(
    _ index: UInt64, of request: MemoryReservation, populate: Bool, to domain: DomainPointer,
    from caller: DomainPointer
  ) throws(MemoryError) {
    do throws(HypercallError) {
      let first = populate ? try readFrameNumber(index, of: request.list, caller) : 0
      let room = domain.pointee.pageLimit.subtractingReportingOverflow(domain.pointee.pageCount)
      guard !domain.pointee.isDying, !room.overflow, request.extentSize <= room.partialValue,
        let frame = allocate(order: request.order, for: domain)
      else { throw .noMemory }
      guard isWithin(addressBits: request.flags & 0xff, frame, request.extentSize) else {
        giveBack(frame, request.extentSize, of: domain)
        throw .noMemory
      }
      if populate {
        for offset in 0..<request.extentSize {
          physicalFrames[MachineFrame(frame.number + offset)] =
            PseudoPhysicalFrame(first &+ offset)
        }
      }
      do { try write(frameNumber: frame.number, index, of: request.list, caller) } catch {
        // Nobody would ever learn the number of these frames.
        giveBack(frame, request.extentSize, of: domain)
        throw error
      }
    } catch {
      throw .refused(error)
    }
  }

  private func giveBack(_ frame: MachineFrame, _ count: UInt64, of domain: DomainPointer) {
    for offset in 0..<count { _ = giveUp(MachineFrame(frame.number + offset), of: domain) }
  }

  /// Whether a run of frames can be reached with so many address bits.
  func isWithin(addressBits: UInt32, _ frame: MachineFrame, _ count: UInt64) -> Bool {
    guard addressBits > 0, addressBits < 52 else { return true }
    guard addressBits > 12 else { return false }
    return frame.number + count <= 1 << UInt64(addressBits - 12)
  }

  private func removeExtent(
    _ index: UInt64, of request: MemoryReservation, from domain: DomainPointer,
    asTold caller: DomainPointer
  ) throws(MemoryError) {
    let first: UInt64
    do throws(HypercallError) {
      first = try readFrameNumber(index, of: request.list, caller)
    } catch { throw .refused(error) }
    guard first <= frames.count, request.extentSize <= frames.count - first else {
      throw .refused(.invalid)
    }
    for offset in 0..<request.extentSize {
      guard giveUp(MachineFrame(first + offset), of: domain) else { throw .refused(.invalid) }
    }
    // A table may have been among them. Extents are given up whole, so an interruption here counts
    // for the next one: the rest of the list is worked off at its begin.
    do throws(MemoryError) { try drain(domain) } catch {}
  }
}
