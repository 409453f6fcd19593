// Two processors in the core at the same time, as threads of this machine.

import HypervisorCoreTesting
import Testing

@Suite("Two processors at once")
struct ThreadedTests {
  @Test("Every invariant holds after two domains have worked beside each other", arguments: 0..<8)
  func invariants(seed: UInt64) throws {
    let guests = ThreadedGuests()
    try guests.run(seed: seed, calls: 20_000)
    #expect(guests.besideCount > 20_000)
    // Some meet a frame of the other's.
    #expect(guests.aloneCount > 0)
  }

  @Test("No event is lost that two processors put into one queue at once")
  func queues() throws {
    try ThreadedGuests().signal(rounds: 400)
  }
}
