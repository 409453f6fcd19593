// The common course of mmu_update and mmuext_op: an array of elements, carried out in order, which
// may be interrupted between them and inside one.

/// One element of such an array; the third word is 0 where elements have two.
struct BatchElement {
  var first: UInt64
  var second: UInt64
  var third: UInt64
}

extension Hypervisor {
  /// How many elements are copied in at once, each of three words at most.
  private static var pieceLength: Int { 32 }

  /// Works through an array of elements, as mmu_update and mmuext_op have it: (array, count, done).
  ///
  /// The top bit of the count is set when the call goes on after an interruption; then `done` holds
  /// what earlier parts did. After each element its domain's torn down tables are worked off, so that
  /// the next element finds them free.
  @inline(__always)
  func runBatch(
    _ arguments: inout HypercallArguments, wordCount: Int, wordSize: Int = 8,
    of owner: DomainPointer, _ perform: (BatchElement) throws(MemoryError) -> Void
  ) throws(HypercallError) -> HypercallResult {
    let resumed: UInt64 = 1 << 31
    let elementSize = UInt64(truncatingIfNeeded: wordCount * wordSize)
    let count = arguments[1] & 0xffff_ffff & ~resumed
    let base = GuestVirtualAddress(arguments[0])
    let doneAddress = GuestVirtualAddress(arguments[2])
    guard base.isGuestRange(byteCount: count * elementSize) else { throw .fault }
    var done: UInt32 = 0
    if arguments[1] & resumed != 0, arguments[2] != 0 { done = try readHalf(at: doneAddress) }
    var index: UInt64 = 0
    var failure: HypercallError?
    var interrupted = false
    do throws(MemoryError) {
      try drain(owner)
      try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.pieceLength * 3) {
        (window) throws(MemoryError) in
        // SAFETY: an allocation that is not empty has an address.
        var next = window.baseAddress.unsafelyUnwrapped
        var end = next
        while index < count {
          if next == end {
            next = window.baseAddress.unsafelyUnwrapped
            let place = GuestVirtualAddress(base.value + index * elementSize)
            let length = Int(truncatingIfNeeded: min(count - index, UInt64(Self.pieceLength)))
            end =
              next + wordCount * (try readPiece(length, wordCount, wordSize, from: place, to: next))
          }
          // SAFETY: whole elements of `wordCount` words lie between `next` and `end`.
          let element = BatchElement(
            first: next[0], second: next[1], third: wordCount > 2 ? next[2] : 0)
          next += wordCount
          try perform(element)
          index += 1
          try drain(owner)
          if index < count, shallYield { throw .preempted }
        }
      }
    } catch {
      switch error {
      case .preempted: interrupted = true
      case .refused(let reason): failure = reason
      }
    }
    if failure != nil {
      // The refused element may have left a half validated table to take apart.
      do throws(MemoryError) { try drain(owner) } catch {}
    }
    if arguments[2] != 0 {
      do { try write(half: done &+ UInt32(truncatingIfNeeded: index), to: doneAddress) } catch {
        if failure == nil { failure = error }
      }
    }
    if let failure { throw failure }
    guard interrupted else { return .value(0) }
    arguments[0] = base.value + index * elementSize
    arguments[1] = (count - index) | resumed
    return .again
  }

  /// Copies elements in, and answers how many: as many as asked for, or the first alone.
  ///
  /// A guest could let the array run into memory that is not there; what lies before that is carried
  /// out. The range has passed `isGuestRange`.
  @inline(__always)
  private func readPiece(
    _ length: Int, _ wordCount: Int, _ wordSize: Int, from place: GuestVirtualAddress,
    to window: UnsafeMutablePointer<UInt64>
  ) throws(MemoryError) -> Int {
    do throws(GuestMemoryFault) {
      // SAFETY: the window holds `pieceLength` elements of three words, and `length` is no more.
      try machine.copyIn(window, from: place, byteCount: length &* wordCount &* wordSize)
      if wordSize < 8 { widen(window, length &* wordCount) }
      return length
    } catch {
      guard length > 1 else { throw .refused(.fault) }
      try readOne(wordCount, wordSize, from: place, to: window)
      return 1
    }
  }

  @inline(never)
  private func readOne(
    _ wordCount: Int, _ wordSize: Int, from place: GuestVirtualAddress,
    to window: UnsafeMutablePointer<UInt64>
  ) throws(MemoryError) {
    do throws(GuestMemoryFault) {
      // SAFETY: as above.
      try machine.copyIn(window, from: place, byteCount: wordCount * wordSize)
      if wordSize < 8 { widen(window, wordCount) }
    } catch { throw .refused(.fault) }
  }

  /// Makes 64-bit words of the 32-bit ones that a window begins with, from the last one on.
  @inline(never)
  private func widen(_ window: UnsafeMutablePointer<UInt64>, _ count: Int) {
    let halves = UnsafeRawPointer(window)
    for index in stride(from: count - 1, through: 0, by: -1) {
      // SAFETY: `count` words are no more than the window has.
      window[index] = UInt64(halves.load(fromByteOffset: index * 4, as: UInt32.self))
    }
  }
}
