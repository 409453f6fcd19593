// The common course of mmu_update and mmuext_op: an array of elements, carried out in order, which
// may be interrupted between them and inside one.

extension Hypervisor {
  /// Works through an array of elements, as mmu_update and mmuext_op have it: (array, count, done).
  ///
  /// The top bit of the count is set when the call goes on after an interruption; then `done` holds
  /// what earlier parts did. After each element its domain's torn down tables are worked off, so that
  /// the next element finds them free.
  func runBatch(
    _ arguments: inout HypercallArguments, wordCount: Int, of owner: DomainPointer,
    _ perform: (InlineArray<9, UInt64>) throws(MemoryError) -> Void
  ) throws(HypercallError) -> HypercallResult {
    let resumed: UInt64 = 1 << 31
    let elementSize = UInt64(truncatingIfNeeded: wordCount * 8)
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
      while index < count {
        try perform(try readElement(index, wordCount: wordCount, from: base))
        index += 1
        try drain(owner)
        if index < count, machine.isPreemptionPending { throw .preempted }
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
    arguments[0] = try element(index, ofSize: elementSize, from: base).value
    arguments[1] = (count - index) | resumed
    return .again
  }

  private func readElement(
    _ index: UInt64, wordCount: Int, from base: GuestVirtualAddress
  ) throws(MemoryError) -> InlineArray<9, UInt64> {
    do throws(HypercallError) {
      let size = UInt64(truncatingIfNeeded: wordCount * 8)
      return try readWords(wordCount, from: try element(index, ofSize: size, from: base))
    } catch {
      throw .refused(error)
    }
  }
}
