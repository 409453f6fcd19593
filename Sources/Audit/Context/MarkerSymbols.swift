// The few symbols by which an image says where its tables and its foreign code begin and end.
// A kernel has over a hundred thousand symbols; one pass picks these out.

import KernelImage

/// Addresses of the symbols that mark tables and blobs, by name.
struct MarkerSymbols: Sendable {
  private let places: [String: ImageAddress]

  /// Everything that the context code asks for.
  private static let wanted: Set<String> = tables.union(
    MarkedCode.marks.flatMap { [$0.start, $0.end] })

  private static let tables: Set<String> = [
    "__alt_instructions", "__alt_instructions_end",
    "__parainstructions", "__parainstructions_end",
    "__start___ex_table", "__stop___ex_table",
    "__start___jump_table", "__stop___jump_table",
    "__start_static_call_sites", "__stop_static_call_sites",
    "_sinittext", "_einittext",
    "real_mode_blob", "real_mode_blob_end",
  ]

  init(image: KernelImage) {
    let symbols = image.symbols
    let limit = Self.wanted.map(\.utf8.count).max() ?? 0
    var marks = [Bool](repeating: false, count: 1 << 12)
    for name in Self.wanted { marks[Self.mark(name)] = true }
    var places: [String: ImageAddress] = [:]
    for index in symbols.indices {
      // A cheap mark rules out nearly all names before any is hashed.
      guard symbols[index].name.utf8.count <= limit, marks[Self.mark(symbols[index].name)] else {
        continue
      }
      let symbol = symbols[index]
      guard Self.wanted.contains(symbol.name), let section = symbol.section,
        image.sections.indices.contains(section), places[symbol.name] == nil
      else { continue }
      places[symbol.name] = ImageAddress(section: section, address: symbol.address)
    }
    self.places = places
  }

  /// A number below 4096 from a name's length and three of its bytes.
  private static func mark(_ name: String) -> Int {
    let found = name.utf8.withContiguousStorageIfAvailable { bytes -> Int in
      guard let first = bytes.first, let last = bytes.last else { return 0 }
      let middle = bytes[bytes.count / 2]
      return bytes.count &* 0x9e1 ^ Int(first) &* 0x1f ^ Int(middle) &* 0x61 ^ Int(last) &* 0x10d
    }
    // Native strings are contiguous in UTF-8; every name read from a file is one.
    return (found ?? 0) & 0xfff
  }

  subscript(name: String) -> ImageAddress? { places[name] }

  /// The bytes between two symbols of the same section, as offsets in it.
  ///
  /// `nil` where either is missing or they are out of order. An end symbol is allowed to belong to the
  /// next section, as linkers like to place it.
  func range(from start: String, to end: String, in image: KernelImage)
    -> (section: Int, offsets: Range<Int>)?
  {
    guard let first = self[start], let last = self[end] else { return nil }
    let section = image.sections[first.section]
    guard first.address >= section.address, last.address > first.address,
      let lower = Int(exactly: first.address - section.address),
      let upper = Int(exactly: last.address - section.address),
      lower < section.bytes.count, upper <= section.bytes.count
    else { return nil }
    return (first.section, lower..<upper)
  }
}
