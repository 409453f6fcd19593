// Which section holds an address, for names that come without one (System.map, kallsyms).

/// Finds sections by address, by binary search.
struct SectionFinder {
  private struct Span {
    var start: UInt64
    var last: UInt64
    var section: Int
  }
  private var spans: [Span] = []

  /// Over the allocated sections of an image that is not relocatable.
  init(_ sections: [ImageSection]) {
    for section in sections where section.isAllocated && section.size > 0 {
      let (last, overflow) = section.address.addingReportingOverflow(section.size - 1)
      guard !overflow else { continue }
      spans.append(Span(start: section.address, last: last, section: section.index))
    }
    spans.sort { ($0.start, $0.section) < ($1.start, $1.section) }
  }

  /// The section that holds `address`: where several do, the one that begins last.
  func section(of address: UInt64) -> Int? {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, address <= spans[low - 1].last else { return nil }
    return spans[low - 1].section
  }
}
