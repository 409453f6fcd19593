// The order of an image's symbols: by section, then address, then name.

extension [ImageSymbol] {
  /// The symbols in the order that ``KernelImage/symbols`` has.
  ///
  /// Only small keys are moved while sorting; names are compared where all else is equal.
  func sortedForImage() -> [ImageSymbol] {
    var isSorted = true
    var keys: [SortingKey] = []
    keys.reserveCapacity(count)
    for (index, symbol) in enumerated() {
      let key = SortingKey(section: symbol.section ?? .max, address: symbol.address, index: index)
      if let last = keys.last {
        isSorted = isSorted && (last.section, last.address) < (key.section, key.address)
      }
      keys.append(key)
    }
    if isSorted { return self }
    keys.sort { left, right in
      if left.section != right.section { return left.section < right.section }
      if left.address != right.address { return left.address < right.address }
      let names = (self[left.index].name, self[right.index].name)
      return names.0 == names.1 ? left.index < right.index : names.0 < names.1
    }
    return keys.map { self[$0.index] }
  }
}

private struct SortingKey {
  var section: Int
  var address: UInt64
  var index: Int
}
