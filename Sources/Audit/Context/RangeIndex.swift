// Short ranges of code, looked up by the instruction that touches them. Built once per image and
// read by every scanning thread.

import KernelImage

/// Ranges of at most 255 bytes, each with a value, sorted for lookup.
struct RangeIndex: Sendable {
  /// One range.
  struct Item: Sendable {
    var start: ImageAddress
    var length: UInt8
    var value: Int
  }

  let items: [Item]
  private let longest: UInt64

  /// A lookup looks at no more ranges than this, and reports no more than ``hitLimit``.
  ///
  /// A bad table can put all of its entries on one address. In a good one, ranges of one byte fill
  /// the 255 bytes before an address, and a handful hold it.
  static let stepLimit = 1_024
  static let hitLimit = 64

  init(_ unsorted: [Item]) {
    items = unsorted.sorted {
      ($0.start.section, $0.start.address, $0.value)
        < ($1.start.section, $1.start.address, $1.value)
    }
    longest = UInt64(items.lazy.map(\.length).max() ?? 0)
  }

  /// Calls `body` with the value of each range that the bytes at `address` touch, in order of start.
  func forEach(
    section: Int, address: UInt64, length: Int, _ body: (Int) -> Void
  ) {
    guard !items.isEmpty else { return }
    let span = UInt64(max(length, 1))
    // The first range that can reach `address` begins `longest - 1` bytes before it.
    let back = longest > 0 ? longest - 1 : 0
    let first = address >= back ? address - back : 0
    let (sum, overflow) = address.addingReportingOverflow(span)
    let end = overflow ? UInt64.max : sum
    var position = lowerBound(section: section, address: first)
    var steps = 0
    var hits = 0
    while position < items.count, steps < Self.stepLimit, hits < Self.hitLimit {
      let item = items[position]
      guard item.start.section == section, item.start.address < end else { return }
      let reach = item.start.address.addingReportingOverflow(UInt64(item.length))
      if reach.overflow || reach.partialValue > address {
        body(item.value)
        hits += 1
      }
      position += 1
      steps += 1
    }
  }

  /// Whether any range touches the bytes.
  func touches(section: Int, address: UInt64, length: Int) -> Bool {
    var found = false
    forEach(section: section, address: address, length: length) { _ in found = true }
    return found
  }

  /// Whether a range begins at `place`.
  func begins(at place: ImageAddress) -> Bool {
    let position = lowerBound(section: place.section, address: place.address)
    return position < items.count && items[position].start == place
  }

  private func lowerBound(section: Int, address: UInt64) -> Int {
    var low = 0
    var high = items.count
    while low < high {
      let middle = (low + high) / 2
      let start = items[middle].start
      if (start.section, start.address) < (section, address) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
