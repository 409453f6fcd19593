// A JSON writer that appends straight to bytes: keys stay in the order of the calls, which makes
// the output the same on every run, and nothing is boxed on the way.

/// Writes one JSON document.
///
/// The writer places commas; the caller keeps objects and arrays balanced.
struct JSONWriter {
  private(set) var buffer: ByteBuffer
  /// A value stands before this place in the innermost container, so a comma comes next.
  private var needsComma = false

  init(capacity: Int = 0) {
    buffer = ByteBuffer(capacity: capacity)
  }

  var bytes: [UInt8] { buffer.bytes }

  mutating func object(_ body: (inout JSONWriter) -> Void) {
    container(open: 0x7B, close: 0x7D, body)
  }

  mutating func array(_ body: (inout JSONWriter) -> Void) {
    container(open: 0x5B, close: 0x5D, body)
  }

  mutating func key(_ name: StaticString) {
    separate()
    buffer.append(byte: 0x22)
    name.withUTF8Buffer { buffer.append(contentsOf: $0) }
    buffer.append(byte: 0x22)
    buffer.append(byte: 0x3A)
    needsComma = false
  }

  mutating func key(text name: String) {
    string(name)
    buffer.append(byte: 0x3A)
    needsComma = false
  }

  /// Begins a new line, indented; only whitespace, so it may stand before any value or key.
  mutating func newline(indent: Int) {
    if needsComma {
      buffer.append(byte: 0x2C)
      needsComma = false
    }
    buffer.append(byte: 0x0A)
    for _ in 0..<indent { buffer.append(byte: 0x20) }
  }

  mutating func int(_ value: Int?) {
    guard let value else { return null() }
    separate()
    buffer.append(decimal: value)
    needsComma = true
  }

  mutating func unsigned(_ value: UInt64) {
    separate()
    buffer.append(String(value))
    needsComma = true
  }

  /// Writes a number with three digits after the point; what is no number is written as `null`.
  mutating func milliseconds(ofSeconds value: Double?) {
    guard let value, value.isFinite, let thousandths = Int(exactly: (value * 1000).rounded()),
      thousandths >= 0
    else { return null() }
    separate()
    let fraction = String(thousandths % 1000)
    buffer.append(decimal: thousandths / 1000)
    buffer.append(".")
    buffer.append(String(repeating: "0", count: 3 - fraction.utf8.count) + fraction)
    needsComma = true
  }

  /// Writes a value that another writer has made.
  mutating func raw(_ json: [UInt8]) {
    separate()
    buffer.append(contentsOf: json)
    needsComma = true
  }

  mutating func null() {
    separate()
    buffer.append("null")
    needsComma = true
  }

  mutating func bool(_ value: Bool) {
    separate()
    buffer.append(value ? "true" : "false")
    needsComma = true
  }

  mutating func address(_ value: UInt64) {
    separate()
    buffer.append(byte: 0x22)
    buffer.append(address: value)
    buffer.append(byte: 0x22)
    needsComma = true
  }

  mutating func hex(_ run: [UInt8]) {
    separate()
    buffer.append(byte: 0x22)
    buffer.append(hex: run)
    buffer.append(byte: 0x22)
    needsComma = true
  }

  mutating func string(_ value: String?) {
    guard let value else { return null() }
    separate()
    buffer.append(byte: 0x22)
    buffer.append(escaped: value)
    buffer.append(byte: 0x22)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { buffer.append(byte: 0x2C) }
  }

  private mutating func container(open: UInt8, close: UInt8, _ body: (inout JSONWriter) -> Void) {
    separate()
    buffer.append(byte: open)
    needsComma = false
    body(&self)
    buffer.append(byte: close)
    needsComma = true
  }
}

extension ByteBuffer {
  /// Appends `text` as the inside of a JSON string.
  ///
  /// `<` and U+2028/U+2029 are escaped too, so that the same bytes may stand in a script element of
  /// a page, whatever a symbol table calls its functions.
  fileprivate mutating func append(escaped text: String) {
    let utf8 = text.utf8
    let plain =
      utf8.withContiguousStorageIfAvailable { run in
        run.allSatisfy(isPlain)
      } ?? false
    if plain {
      append(contentsOf: utf8)
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22: append("\\\"")
      case 0x5C: append("\\\\")
      case 0x08: append("\\b")
      case 0x09: append("\\t")
      case 0x0A: append("\\n")
      case 0x0C: append("\\f")
      case 0x0D: append("\\r")
      case 0..<0x20, 0x3C, 0x7F, 0x2028, 0x2029:
        append("\\u")
        for shift: UInt32 in [12, 8, 4, 0] {
          append(byte: Hex.digits[Int((scalar.value >> shift) & 0xF)])
        }
      default: append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }
}

/// Whether a byte of UTF-8 stands for itself in a JSON string.
///
/// 0xE2 begins U+2028; text with it takes the careful way.
private func isPlain(_ byte: UInt8) -> Bool {
  byte >= 0x20 && byte != 0x22 && byte != 0x5C && byte != 0x3C && byte != 0x7F && byte != 0xE2
}
