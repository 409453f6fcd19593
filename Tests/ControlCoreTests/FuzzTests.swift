// A short run of what `make fuzz` does at length.

import ControlCoreTesting
import Testing

@Suite("Hostile guests")
struct FuzzTests {
  @Test("store, block and net hold their invariants", arguments: 0..<8)
  func short(seed: Int) {
    #expect(fuzzControl(seeds: UInt64(seed)..<UInt64(seed + 1), steps: 400) == nil)
  }
}
