// One batch of lookups: addresses are sorted and handed to their units, each unit is walked once, and
// the units are shared out to threads. The result does not depend on the number of threads.

import Dispatch
import Synchronization

extension SourceLocator {
  /// ``locate(_:jobs:)`` with the paths as stored.
  func locateDetailed(_ addresses: [UInt64], jobs: Int) throws(ImageError) -> [[SourceFrame]] {
    guard hasDebugInfo, !addresses.isEmpty else {
      return Array(repeating: [], count: addresses.count)
    }
    let order = addresses.indices.sorted { (addresses[$0], $0) < (addresses[$1], $1) }
    let sorted = order.map { addresses[$0] }
    let reader = DwarfReader(file, units: units)
    var index = try DwarfUnitIndex(reader)
    let groups = try index.group(sorted, reader).map { group in
      UnitWork(
        unit: group.unit, positions: group.positions, addresses: group.positions.map { sorted[$0] })
    }
    var result: [[SourceFrame]] = Array(repeating: [], count: addresses.count)
    let names = file.symbols.names(of: sorted)
    for located in try run(shares(of: groups, count: jobs)) {
      for (position, frames) in located {
        var frames = frames
        if var outermost = frames.popLast() {
          outermost.definition = outermost.function
          outermost.function = names[position] ?? outermost.function
          frames.append(outermost)
        }
        result[order[position]] = frames
      }
    }
    return result
  }

  /// Where the code of each unit begins.
  func unitBeginnings() throws(ImageError) -> [UInt64] {
    let reader = DwarfReader(file, units: units)
    var index = try DwarfUnitIndex(reader)
    // An address that no unit covers makes the index ask all units.
    _ = try index.group([.max], reader)
    return index.beginnings
  }

  /// The addresses of one unit, and their positions among all.
  private struct UnitWork: Sendable {
    var unit: Int
    var positions: [Int]
    var addresses: [UInt64]
  }

  private typealias Located = [(position: Int, frames: [SourceFrame])]

  /// Cuts the work into runs of units of about the same number of bytes.
  private func shares(of groups: [UnitWork], count: Int) -> [ArraySlice<UnitWork>] {
    let count = max(1, min(count, groups.count, 256))
    let sizes = groups.map { units[$0.unit].end - units[$0.unit].offset }
    let total = sizes.reduce(0, +)
    var shares: [ArraySlice<UnitWork>] = []
    var start = 0
    var done = 0
    for (index, size) in sizes.enumerated() {
      done += size
      if done * count >= total * (shares.count + 1) || index == sizes.count - 1 {
        shares.append(groups[start...index])
        start = index + 1
      }
    }
    return shares
  }

  /// Works on each share in a thread of its own; the first share's error is thrown.
  private func run(_ shares: [ArraySlice<UnitWork>]) throws(ImageError) -> [Located] {
    let results = Mutex<[Int: Result<Located, ImageError>]>([:])
    DispatchQueue.concurrentPerform(iterations: shares.count) { index in
      let outcome = Result { () throws(ImageError) in try work(on: shares[index]) }
      results.withLock { $0[index] = outcome }
    }
    let outcomes = results.withLock { $0 }
    var all: [Located] = []
    for index in shares.indices {
      if let outcome = outcomes[index] { all.append(try outcome.get()) }
    }
    return all
  }

  private func work(on share: ArraySlice<UnitWork>) throws(ImageError) -> Located {
    let reader = DwarfReader(file, units: units)
    var located: Located = []
    for work in share {
      let frames = try reader.frames(of: work.addresses, inUnit: work.unit)
      located += zip(work.positions, frames).map { ($0, $1) }
    }
    return located
  }
}
