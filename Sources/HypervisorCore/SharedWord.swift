// Words that a guest may change at the same time, changed in one step each.

import CXenABI

extension Hypervisor {
  /// Changes a word in one step and answers its former value.
  ///
  /// A guest that writes the word without end could keep this waiting on another processor, so the
  /// attempts are limited; the last one stores in any case, at the guest's own cost.
  @inline(__always)
  func change(_ word: UnsafeMutablePointer<UInt64>, _ edit: (UInt64) -> UInt64) -> UInt64 {
    var expected = word.pointee
    for _ in 0..<64 {
      let found = machine.compareExchange(word, expected: expected, desired: edit(expected))
      if found == expected { return found }
      expected = found
    }
    word.pointee = edit(expected)
    return expected
  }
}
