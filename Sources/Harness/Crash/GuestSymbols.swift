// Names for addresses in the guest, from its kernel's symbols and DWARF.

import KernelImage

/// Looks up places in the guest's kernel.
package struct GuestSymbols {
  private let image: KernelImage
  private let index: SymbolIndex
  private let locator: SourceLocator?

  /// The symbols of the kernel at `path`; `nil` where it cannot be read.
  package init?(kernel path: String) {
    guard let image = try? KernelImage.open(path: path) else { return nil }
    self.image = image
    index = SymbolIndex(image)
    locator = image.elfPath.flatMap { try? SourceLocator(elfPath: $0) }
  }

  /// Fills in names and lines of places.
  package func locate(_ places: [CodePlace]) -> [CodePlace] {
    let addresses = places.map { place in
      section(of: place.address).map { ImageAddress(section: $0, address: place.address) }
    }
    let known = addresses.compactMap(\.self)
    let locations = (try? locator?.locate(known)) ?? []
    var next = 0
    return zip(places, addresses).map { place, address in
      guard let address else { return place }
      var place = place
      if let match = index.function(at: address) {
        place.function = match.symbol.name
        place.offset = match.offset
      }
      if locations.indices.contains(next), let frame = locations[next].frames.first {
        place.function = place.function ?? frame.function
        place.file = frame.file
        place.line = frame.line
      }
      next += 1
      return place
    }
  }

  /// Fills in the variable that has an address.
  package func locate(_ place: DataPlace) -> DataPlace {
    let known = image.symbols.first { symbol in
      symbol.kind == .object && place.address >= symbol.address
        && place.address - symbol.address < symbol.size
    }
    guard let known else { return place }
    var place = place
    place.variable = known.name
    place.offset = place.address - known.address
    return place
  }

  /// The address lies in the kernel's code.
  package func isCode(_ address: UInt64) -> Bool {
    section(of: address) != nil
  }

  private func section(of address: UInt64) -> Int? {
    image.sections.first { section in
      section.isAllocated && section.isExecutable && address >= section.address
        && address - section.address < section.size
    }?.index
  }
}
