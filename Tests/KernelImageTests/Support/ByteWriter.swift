// Bytes of made-up files, written field by field.

/// Collects little-endian fields.
struct ByteWriter {
  var bytes: [UInt8] = []

  var count: Int { bytes.count }

  mutating func put<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  mutating func put(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  mutating func put(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    bytes.append(0)
  }

  /// A word of 4 or 8 bytes.
  mutating func putWord(_ value: UInt64, is64: Bool) {
    if is64 { put(value) } else { put(UInt32(truncatingIfNeeded: value)) }
  }

  mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }

  mutating func pad(toCount count: Int) {
    while bytes.count < count { bytes.append(0) }
  }

  /// Overwrites a field.
  mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for byte in 0..<T.bitWidth / 8 {
      bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> T(byte * 8))
    }
  }
}
