// The order of an image's symbols: by section, then address, then name; and how many there may be.

extension ImageSymbol {
  /// The most symbols that are read from one table: ten times a large kernel's.
  static let limit = 4_000_000
}

extension [ImageSymbol] {
  /// Puts the symbols into the order that ``KernelImage/symbols`` has.
  mutating func sortForImage() {
    guard !isOrderedByAddress else {
      // Tables of kernels are, except for several names of one address.
      sortNamesOfEqualAddresses()
      return
    }
    // Only small keys are moved while sorting; names are compared where all else is equal.
    var keys = enumerated().map { SortingKey($0.element, index: $0.offset) }
    keys.sort { left, right in
      if left.section != right.section { return left.section < right.section }
      if left.address != right.address { return left.address < right.address }
      let names = (self[left.index].name, self[right.index].name)
      return names.0 == names.1 ? left.index < right.index : names.0 < names.1
    }
    self = keys.map { self[$0.index] }
  }

  private var isOrderedByAddress: Bool {
    var last = (0, UInt64(0))
    for symbol in self {
      let place = (symbol.section ?? .max, symbol.address)
      guard last <= place else { return false }
      last = place
    }
    return true
  }

  private mutating func sortNamesOfEqualAddresses() {
    var start = 0
    while start < count {
      var end = start + 1
      while end < count, self[end].address == self[start].address,
        self[end].section == self[start].section
      {
        end += 1
      }
      if end - start > 1 { self[start..<end].sort { $0.name < $1.name } }
      start = end
    }
  }
}

private struct SortingKey {
  var section: Int
  var address: UInt64
  var index: Int

  init(_ symbol: ImageSymbol, index: Int) {
    section = symbol.section ?? .max
    address = symbol.address
    self.index = index
  }
}
