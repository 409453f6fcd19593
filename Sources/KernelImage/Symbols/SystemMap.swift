// System.map: one line for each symbol of a kernel, `ffffffff81000000 T _text`, as nm prints it.
// kallsyms has the same letters.

/// Reads a `System.map`.
enum SystemMap {
  /// The symbols of a map; sections are found by address.
  static func read(
    _ bytes: ImageBytes, path: String, sections: [ImageSection]
  ) throws(ImageError) -> [ImageSymbol] {
    let finder = SectionFinder(sections)
    var symbols: [ImageSymbol] = []
    var number = 0
    var rest = bytes.buffer[...]
    while !rest.isEmpty {
      let line = rest.prefix { $0 != 0x0a }
      rest = rest.dropFirst(line.count + 1)
      number += 1
      if line.isEmpty { continue }
      guard symbols.count < ImageSymbol.limit else {
        throw .tooLarge(path, "at most \(ImageSymbol.limit) symbols", "more")
      }
      let fields = line.split(separator: 0x20, maxSplits: 2)
      guard fields.count == 3, let address = address(fields[0]), fields[1].count == 1,
        let letter = fields[1].first,
        let text = String(validating: fields[2].prefix(4096), as: UTF8.self)
      else {
        throw .malformed(
          path, "lines of an address, a letter and a name (\"ffffffff81000000 T _text\")",
          "another form in line \(number)")
      }
      // A module's symbols carry the module's name behind a tab.
      let name = text.prefix { !$0.isWhitespace }
      guard let kind = kind(of: letter), !name.isEmpty else { continue }
      var symbol = ImageSymbol(
        name: String(name), address: address, size: 0, kind: kind,
        section: finder.section(of: address))
      symbol.isGlobal = isGlobal(letter)
      symbols.append(symbol)
    }
    return symbols
  }

  /// What nm's letter says of a symbol; `nil` for one that is defined elsewhere.
  static func kind(of letter: UInt8) -> ImageSymbol.Kind? {
    switch letter | 0x20 {
    case UInt8(ascii: "t"), UInt8(ascii: "w"), UInt8(ascii: "i"): .function
    case UInt8(ascii: "u"): nil
    case UInt8(ascii: "d"), UInt8(ascii: "b"), UInt8(ascii: "r"), UInt8(ascii: "v"): .object
    default: .other
    }
  }

  /// An upper-case letter names a global symbol.
  static func isGlobal(_ letter: UInt8) -> Bool { letter & 0x20 == 0 }

  private static func address(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
    guard (1...16).contains(digits.count) else { return nil }
    var value: UInt64 = 0
    for byte in digits {
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(byte - 0x57)
      case 0x41...0x46: value = value << 4 | UInt64(byte - 0x37)
      default: return nil
      }
    }
    return value
  }
}
