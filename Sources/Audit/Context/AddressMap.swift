// Which section an address belongs to. The tables of a linked image hold addresses; everything
// after them works with a section and an address, so that relocatable files need no second path.

import KernelImage

/// The allocated sections of an image, sorted for lookup by address.
struct AddressMap: Sendable {
  private let starts: [UInt64]
  private let ends: [UInt64]
  private let indices: [Int]
  private let executable: [Bool]
  private let bounds: [Range<UInt64>]

  init(sections: [ImageSection]) {
    var placed: [(range: Range<UInt64>, index: Int)] = []
    var executable: [Bool] = []
    var bounds: [Range<UInt64>] = []
    for (index, section) in sections.enumerated() {
      executable.append(section.isExecutable)
      // A size that runs past the end of the address space is cut there.
      let (sum, overflow) = section.address.addingReportingOverflow(section.size)
      let range = section.address..<(overflow ? UInt64.max : sum)
      bounds.append(range)
      guard section.isAllocated, !range.isEmpty else { continue }
      placed.append((range, index))
    }
    placed.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.index)
        < ($1.range.lowerBound, $1.range.upperBound, $1.index)
    }
    starts = placed.map(\.range.lowerBound)
    ends = placed.map(\.range.upperBound)
    indices = placed.map(\.index)
    self.executable = executable
    self.bounds = bounds
  }

  /// The section that holds `address` in a linked image.
  ///
  /// Where sections overlap, which no good file has, the one that begins last wins.
  func locate(_ address: UInt64) -> ImageAddress? {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, address < ends[low - 1] else { return nil }
    return ImageAddress(section: indices[low - 1], address: address)
  }

  /// Whether `length` bytes from `place` lie in one executable section.
  func isCode(_ place: ImageAddress, length: UInt64) -> Bool {
    guard executable.indices.contains(place.section), executable[place.section] else {
      return false
    }
    let range = bounds[place.section]
    guard range.contains(place.address) else { return false }
    return length <= range.upperBound - place.address
  }
}
