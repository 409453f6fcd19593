// UTF-8 under construction. Renderers append bytes instead of joining strings: a report of a
// kernel's findings is megabytes, and this way each byte is written once.

/// A growing piece of UTF-8 text.
struct ByteBuffer {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 0) {
    bytes.reserveCapacity(capacity)
  }

  mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  mutating func append(byte: UInt8) {
    bytes.append(byte)
  }

  mutating func append(contentsOf more: some Collection<UInt8>) {
    bytes.append(contentsOf: more)
  }

  mutating func line(_ text: String = "") {
    append(text)
    bytes.append(0x0A)
  }

  mutating func append(decimal value: Int) {
    append(String(value))
  }

  /// Appends `0x` and 16 digits, so that addresses align and sort as text.
  mutating func append(address: UInt64) {
    bytes.append(0x30)
    bytes.append(0x78)
    for shift in stride(from: 60, through: 0, by: -4) {
      bytes.append(Hex.digits[Int(truncatingIfNeeded: address >> UInt64(shift)) & 0xF])
    }
  }

  /// Appends two digits for each byte.
  mutating func append(hex run: [UInt8]) {
    for byte in run {
      bytes.append(Hex.digits[Int(byte >> 4)])
      bytes.append(Hex.digits[Int(byte & 0xF)])
    }
  }
}

/// Hexadecimal text.
enum Hex {
  static let digits = Array("0123456789abcdef".utf8)

  static func address(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
  }

  static func bytes(_ run: [UInt8]) -> String {
    var buffer = ByteBuffer(capacity: run.count * 2)
    buffer.append(hex: run)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }
}
