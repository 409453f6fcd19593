// Where each table stands: in a section of its own (modules, most of vmlinux), between two symbols
// (what the linker script folds into .rodata or .init.data), or, in a stripped image, found by the
// shape of its entries.

import KernelImage

/// Finds the tables of an image.
struct TableLocator {
  let image: KernelImage
  let symbols: MarkerSymbols
  let map: AddressMap

  /// Every piece of the table called `name`; a section may come more than once in a relocatable file.
  func tables(section name: String, start: String, end: String) -> [PatchTable] {
    let named = image.sections.filter {
      $0.name == name && $0.isAllocated && $0.bytes.count > 0
    }
    if !named.isEmpty { return named.map { table(section: $0.index, range: nil) } }
    if let found = symbols.range(from: start, to: end, in: image) {
      return [table(section: found.section, range: found.offsets)]
    }
    return []
  }

  /// A view of a section, with its relocations where the file is relocatable.
  func table(section index: Int, range: Range<Int>?) -> PatchTable {
    let section = image.sections[index]
    return PatchTable(
      section: section, range: range, map: map, relocations: relocations(section: index))
  }

  private func relocations(section: Int) -> [UInt64: ImageAddress]? {
    guard image.isRelocatable else { return nil }
    var places: [UInt64: ImageAddress] = [:]
    for target in image.relocationTargets(section: section) {
      guard let home = target.targetSection,
        let offset = UInt64(exactly: target.targetOffset)
      else { continue }
      places[target.offset] = ImageAddress(section: home, address: offset)
    }
    return places
  }

  /// The first byte of the code at `place`.
  func code(_ place: ImageAddress) -> UInt8? {
    let section = image.sections[place.section]
    guard place.address >= section.address,
      let offset = Int(exactly: place.address - section.address)
    else { return nil }
    return section.bytes.load(offset, as: UInt8.self)
  }
}
