// Where decoders write. It grows as output comes, never by a size that a file states, so that a
// compression bomb stops at the limit.

import Glibc

/// Memory that grows by doubling up to a limit.
final class GrowingBuffer {
  private var start: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0
  private let limit: Int

  init(limit: Int) {
    self.limit = max(0, limit)
  }

  deinit { free(start) }

  /// Lets `body` write up to `wanted` more bytes (or what is left to the limit) and keeps as many as it says.
  ///
  /// Answers `false`, without calling `body`, where the limit is reached or memory is short.
  func append(
    upTo wanted: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int
  ) -> Bool {
    guard wanted > 0, count < limit, reserve(min(wanted, limit - count)), let start else {
      return false
    }
    // SAFETY: `start` owns `capacity` bytes, of which [count, capacity) are free to write.
    let room = UnsafeMutableRawBufferPointer(
      start: start + count, count: min(wanted, capacity - count))
    count += min(max(0, body(room)), room.count)
    return true
  }

  /// Hands the bytes over; the buffer is empty afterwards.
  func finish() -> ImageBytes {
    let result = Block(start: start, count: count)
    start = nil
    capacity = 0
    count = 0
    return result.bytes
  }

  private func reserve(_ more: Int) -> Bool {
    guard count + more > capacity else { return true }
    let wanted = min(limit, max(count + more, capacity * 2, 1 << 16))
    // For large blocks, realloc moves page tables and not bytes.
    guard let moved = realloc(start, wanted) else { return false }
    start = moved
    capacity = wanted
    return true
  }

  /// Owns the finished bytes.
  ///
  /// `@unchecked Sendable`: nothing writes them any more.
  private final class Block: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer?
    private let count: Int

    init(start: UnsafeMutableRawPointer?, count: Int) {
      // The rest of the last doubling was never touched, but gives its address space back.
      self.start = count > 0 ? realloc(start, count) ?? start : start
      self.count = count
    }

    deinit { free(start) }

    // SAFETY: the block lives as long as this object, which the result holds.
    var bytes: ImageBytes {
      ImageBytes(owner: self, buffer: UnsafeRawBufferPointer(start: start, count: count))
    }
  }
}
