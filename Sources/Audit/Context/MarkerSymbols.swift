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
    let lengths = Set(Self.wanted.map(\.utf8.count))
    let longest = lengths.max() ?? 0
    var fits = [Bool](repeating: false, count: longest + 1)
    for length in lengths { fits[length] = true }
    let letters = Set(Self.wanted.compactMap(\.utf8.first))
    var begins = [Bool](repeating: false, count: 256)
    for letter in letters { begins[Int(letter)] = true }
    var places: [String: ImageAddress] = [:]
    for symbol in image.symbols {
      let length = symbol.name.utf8.count
      // Lengths and first letters rule out nearly all names without hashing them.
      guard length <= longest, fits[length], let first = symbol.name.utf8.first,
        begins[Int(first)], Self.wanted.contains(symbol.name),
        let section = symbol.section, image.sections.indices.contains(section)
      else { continue }
      if places[symbol.name] == nil {
        places[symbol.name] = ImageAddress(section: section, address: symbol.address)
      }
    }
    self.places = places
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
