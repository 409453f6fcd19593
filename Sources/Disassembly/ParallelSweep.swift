// A sweep over several cores with the result of a sweep on one: pieces are swept side by side from
// places that are boundaries in all likelihood, and a piece whose start turns out to be none is done
// again from where the one before it ended.

import Dispatch

extension Sweep {
  /// Bytes of a piece, the same for every number of jobs, so that the pieces are too.
  static let pieceSize = 1 << 18

  /// Sweeps all of `code` with up to `jobs` threads, starting anew at each of `starts` (sorted).
  public func run(_ code: UnsafeRawBufferPointer, starts: [Int], jobs: Int) -> SweepResult {
    let bounds = pieceBounds(code, starts: starts)
    let count = bounds.count - 1
    if count < 2 { return run(code, from: 0, to: code.count, starts: starts[...]) }
    var pieces = [SweepResult](repeating: SweepResult(), count: count)
    // SAFETY: the caller keeps `code` alive and unchanged during the call, and every thread ends within it.
    nonisolated(unsafe) let shared = code
    let sweepPiece: @Sendable (Int) -> SweepResult = { [bounds] index in
      run(
        shared, from: bounds[index], to: bounds[index + 1],
        starts: Self.starts(starts, from: bounds[index], to: bounds[index + 1]))
    }
    if jobs < 2 {
      for index in 0..<count { pieces[index] = sweepPiece(index) }
    } else {
      pieces.withUnsafeMutableBufferPointer { buffer in
        // SAFETY: each index is written by one thread only, and read after all have ended.
        nonisolated(unsafe) let slots = buffer
        let next = Counter()
        DispatchQueue.concurrentPerform(iterations: min(jobs, count)) { _ in
          while let index = next.take(below: count) { slots[index] = sweepPiece(index) }
        }
      }
    }
    var whole = pieces[0]
    for index in 1..<count {
      let bound = bounds[index]
      if whole.end == bound {
        whole.append(pieces[index])
      } else if whole.end > bound, Self.contains(starts, bound) {
        // Decoding begins anew at a function's start in any case; the straight sweep goes on beside it.
        whole.missedStarts.append(bound)
        followBoth(code, main: bound, side: whole.end, limit: bounds[index + 1], &whole)
        whole.append(pieces[index])
      } else {
        whole.append(
          run(
            code, from: whole.end, to: bounds[index + 1],
            starts: Self.starts(starts, from: whole.end, to: bounds[index + 1])))
      }
    }
    return whole
  }

  /// Where pieces begin: at a function's start, else behind a run of `int3`, else anywhere.
  private func pieceBounds(_ code: UnsafeRawBufferPointer, starts: [Int]) -> [Int] {
    var bounds = [0]
    while let last = bounds.last, code.count - last > 2 * Self.pieceSize {
      bounds.append(boundary(near: last + Self.pieceSize, code, starts))
    }
    bounds.append(code.count)
    return bounds
  }

  private func boundary(near wish: Int, _ code: UnsafeRawBufferPointer, _ starts: [Int]) -> Int {
    let limit = wish + Self.pieceSize / 4
    let index = Self.firstIndex(in: starts, atOrAfter: wish)
    if index < starts.count, starts[index] < limit, code[starts[index]] != 0xCC {
      return starts[index]
    }
    for offset in wish..<limit
    where code[offset] != 0xCC && code[offset - 1] == 0xCC && code[offset - 2] == 0xCC {
      return offset
    }
    return wish
  }

  private static func starts(_ starts: [Int], from start: Int, to stop: Int) -> ArraySlice<Int> {
    starts[firstIndex(in: starts, atOrAfter: start)..<firstIndex(in: starts, atOrAfter: stop)]
  }

  private static func contains(_ sorted: [Int], _ value: Int) -> Bool {
    let index = firstIndex(in: sorted, atOrAfter: value)
    return index < sorted.count && sorted[index] == value
  }

  private static func firstIndex(in sorted: [Int], atOrAfter value: Int) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
