// Hands out indexes to threads.

import Synchronization

/// Indexes from 0 on, each given to one taker.
final class Counter: Sendable {
  private let next = Atomic<Int>(0)

  /// The next index, or `nil` when `limit` is reached.
  func take(below limit: Int) -> Int? {
    let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
    return index < limit ? index : nil
  }
}
