// Reads the notation of types: `u8[4]`, `handle<grant_ref_t>`, `xen_pfn_t[MAX]`.

/// Why a type cannot be read.
struct TypeFault: Error, Equatable {
  var found: String
}

enum TypeParser {
  /// The type that `text` spells.
  static func parse(_ text: String) throws(TypeFault) -> TypeReference {
    try parse(text[...], depth: 0)
  }

  private static func parse(_ text: Substring, depth: Int) throws(TypeFault) -> TypeReference {
    guard depth < 6, text.utf8.count <= 256 else { throw TypeFault(found: String(text)) }
    if text.hasSuffix("]") {
      guard let open = text.firstIndex(of: "[") else { throw TypeFault(found: String(text)) }
      var type = try parse(text[..<open], depth: depth + 1)
      // `T[2][3]` is two arrays of three: the last count is the innermost.
      for count in try counts(text[open...]).reversed() { type = .array(of: type, count: count) }
      return type
    }
    if text.hasPrefix("handle<"), text.hasSuffix(">") {
      let inner = text.dropFirst(7).dropLast()
      return .handle(inner == "void" ? nil : try parse(inner, depth: depth + 1))
    }
    return try scalar(text)
  }

  private static func scalar(_ text: Substring) throws(TypeFault) -> TypeReference {
    switch text {
    case "u8", "u16", "u32", "u64": .integer(bits: Int(text.dropFirst()) ?? 8, signed: false)
    case "i8", "i16", "i32", "i64": .integer(bits: Int(text.dropFirst()) ?? 8, signed: true)
    case "u64a": .aligned64
    case "char": .char
    case "ulong": .long(signed: false)
    case "long": .long(signed: true)
    case "ptr": .pointer
    default:
      if String(text).isIdentifier {
        .named(String(text))
      } else {
        throw TypeFault(found: String(text))
      }
    }
  }

  private static func counts(_ text: Substring) throws(TypeFault) -> [ArrayCount] {
    var rest = text
    var counts: [ArrayCount] = []
    while !rest.isEmpty {
      guard counts.count < 4, rest.first == "[", let close = rest.firstIndex(of: "]") else {
        throw TypeFault(found: String(text))
      }
      let inside = String(rest[rest.index(after: rest.startIndex)..<close])
      if inside.isEmpty, counts.isEmpty {
        counts.append(.flexible)
      } else if inside.isIdentifier {
        counts.append(.constant(inside))
      } else if let number = Int128(abi: inside), number >= 0,
        number <= Int128(LayoutEngine.largestCount)
      {
        counts.append(.literal(Int(number)))
      } else {
        throw TypeFault(found: String(text))
      }
      rest = rest[close...].dropFirst()
    }
    return counts
  }
}
