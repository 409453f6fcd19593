// A small JSON reader that remembers where each value stands, so that a fault in a baseline or a
// trace is reported by line and column. Input is hostile: depth is bounded, time is linear.

/// A JSON value and its place.
struct LocatedJSON: Sendable {
  enum Content: Sendable {
    case null
    case bool(Bool)
    /// A number, as written.
    case number(String)
    case string(String)
    case array([LocatedJSON])
    /// Members in the file's order.
    case object([(key: String, value: LocatedJSON)])
  }
  var content: Content
  /// The offset of the value's first byte.
  var offset: Int

  var kind: String {
    switch content {
    case .null: "null"
    case .bool: "a truth value"
    case .number(let text): "the number \(text.prefix(24))"
    case .string(let text): "the string '\(text.prefix(40))'"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Reads one JSON document (RFC 8259).
struct LocatedJSONParser {
  private let path: String
  private let bytes: [UInt8]
  private var at = 0
  private static let depthLimit = 64

  init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  mutating func parse() throws(GateFileError) -> LocatedJSON {
    let value = try value(depth: 0)
    skipSpace()
    guard at == bytes.count else { throw fault("the end of the document", at: at) }
    return value
  }

  /// An error at `offset`.
  func fault(_ expected: String, found: String? = nil, at offset: Int) -> GateFileError {
    var line = 1
    var column = 1
    for byte in bytes.prefix(offset) {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return GateFileError(
      path: path, line: line, column: column, expected: expected,
      found: found ?? description(at: offset))
  }

  private func description(at offset: Int) -> String {
    guard offset < bytes.count else { return "the end of the file" }
    let byte = bytes[offset]
    return byte > 0x20 && byte < 0x7F
      ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
  }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(GateFileError) -> LocatedJSON {
    skipSpace()
    let start = at
    guard depth < Self.depthLimit else {
      throw fault("at most \(Self.depthLimit) levels", found: "more", at: start)
    }
    guard at < bytes.count else { throw fault("a value", at: at) }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""):
      return LocatedJSON(content: .string(try string()), offset: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      while at < bytes.count, isNumberByte(bytes[at]) { at += 1 }
      let text = String(decoding: bytes[start..<at], as: UTF8.self)
      guard Double(text) != nil else { throw fault("a number", found: text, at: start) }
      return LocatedJSON(content: .number(text), offset: start)
    default:
      for (word, content) in [
        ("null", LocatedJSON.Content.null), ("true", .bool(true)), ("false", .bool(false)),
      ] where bytes[at...].starts(with: word.utf8) {
        at += word.utf8.count
        return LocatedJSON(content: content, offset: start)
      }
      throw fault("a value", at: at)
    }
  }

  private mutating func object(depth: Int) throws(GateFileError) -> LocatedJSON {
    let start = at
    at += 1
    var members: [(key: String, value: LocatedJSON)] = []
    if take(UInt8(ascii: "}")) { return LocatedJSON(content: .object([]), offset: start) }
    repeat {
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw fault("a key", at: at) }
      let key = try string()
      guard take(UInt8(ascii: ":")) else { throw fault("':'", at: at) }
      members.append((key, try value(depth: depth + 1)))
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw fault("',' or '}'", at: at) }
    return LocatedJSON(content: .object(members), offset: start)
  }

  private mutating func array(depth: Int) throws(GateFileError) -> LocatedJSON {
    let start = at
    at += 1
    var items: [LocatedJSON] = []
    if take(UInt8(ascii: "]")) { return LocatedJSON(content: .array([]), offset: start) }
    repeat {
      items.append(try value(depth: depth + 1))
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw fault("',' or ']'", at: at) }
    return LocatedJSON(content: .array(items), offset: start)
  }

  private mutating func string() throws(GateFileError) -> String {
    let start = at
    at += 1
    var text: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
      case 0..<0x20: throw fault("a string without control characters", at: at - 1)
      default: text.append(byte)
      }
    }
    throw fault("the end of the string", at: start)
  }

  private mutating func escape() throws(GateFileError) -> [UInt8] {
    guard at < bytes.count else { throw fault("an escape", at: at) }
    let byte = bytes[at]
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), bytes[at...].starts(with: "\\u".utf8) {
        at += 2
        units.append(try codeUnit())
      }
      return Array(String(decoding: units, as: UTF16.self).utf8)
    default: throw fault("an escape", at: at - 1)
    }
  }

  private mutating func codeUnit() throws(GateFileError) -> UInt16 {
    let digits = bytes[at..<min(at + 4, bytes.count)]
    guard digits.count == 4, digits.allSatisfy(isHexDigit),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("four hexadecimal digits", at: at) }
    at += 4
    return unit
  }
}

private func isNumberByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
    UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
    true
  default: false
  }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  Character(Unicode.Scalar(byte)).isHexDigit && byte < 0x80
}
