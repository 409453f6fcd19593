// The one place where bytes of debugging information are read. Every read checks its bounds, so
// nothing above this file can leave the section, whatever a file claims.

/// Reads little-endian values from a section, forward.
///
/// A read beyond the end answers 0 and sets ``failed``, which stays set: callers check once after
/// a group of reads, and loops check on every turn.
struct DwarfCursor {
  /// The bytes, a whole section or its first part.
  let bytes: UnsafeRawBufferPointer
  /// Position of the next read; at most `bytes.count`.
  private(set) var offset: Int
  /// A read or jump went outside the bytes.
  private(set) var failed = false

  init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = 0
    seek(to: offset)
  }

  /// The cursor stands behind the last byte.
  var isAtEnd: Bool { offset >= bytes.count }

  /// Takes `count` bytes and answers where they begin, `nil` where there are fewer.
  @inline(__always)
  private mutating func take(_ count: Int) -> Int? {
    // `offset` never passes `bytes.count`, so the subtraction cannot overflow.
    guard !failed, count >= 0, count <= bytes.count - offset else {
      failed = true
      return nil
    }
    defer { offset += count }
    return offset
  }

  @inline(__always)
  private mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T {
    guard let start = take(MemoryLayout<T>.size) else { return 0 }
    // SAFETY: `take` has shown that the value lies inside `bytes`.
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: T.self))
  }

  @inline(__always) mutating func u8() -> UInt8 { load(UInt8.self) }
  @inline(__always) mutating func u16() -> UInt16 { load(UInt16.self) }
  @inline(__always) mutating func u32() -> UInt32 { load(UInt32.self) }
  @inline(__always) mutating func u64() -> UInt64 { load(UInt64.self) }

  mutating func u24() -> UInt32 {
    let low = UInt32(u16())
    return low | UInt32(u8()) << 16
  }

  /// An unsigned value of 1, 2, 3, 4 or 8 bytes.
  @inline(__always)
  mutating func unsigned(size: Int) -> UInt64 {
    switch size {
    case 1: return UInt64(u8())
    case 2: return UInt64(u16())
    case 3: return UInt64(u24())
    case 4: return UInt64(u32())
    case 8: return u64()
    default:
      failed = true
      return 0
    }
  }

  /// An unsigned LEB128 number; bits above 63 are dropped.
  @inline(__always)
  mutating func uleb() -> UInt64 {
    let first = u8()
    if first < 0x80 { return UInt64(first) }
    return longULEB(first)
  }

  private mutating func longULEB(_ first: UInt8) -> UInt64 {
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    while !failed {
      let byte = u8()
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      if byte < 0x80 { break }
      shift = min(shift + 7, 64)
    }
    return value
  }

  /// A signed LEB128 number; bits above 63 are dropped.
  mutating func sleb() -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while !failed {
      let byte = u8()
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      shift = min(shift + 7, 64)
      if byte < 0x80 {
        if byte & 0x40 != 0, shift < 64 { value |= ~0 << shift }
        break
      }
    }
    return Int64(bitPattern: value)
  }

  /// Passes over `count` bytes.
  @inline(__always)
  mutating func skip(_ count: Int) { _ = take(count) }

  /// Passes over as many bytes as the file says.
  mutating func skip(_ count: UInt64) {
    guard let count = Int(exactly: count) else {
      failed = true
      return
    }
    skip(count)
  }

  /// Passes over a string and its terminator.
  mutating func skipString() {
    while !failed, u8() != 0 {}
  }

  mutating func seek(to position: Int) {
    guard position >= 0, position <= bytes.count else {
      failed = true
      return
    }
    offset = position
  }

  mutating func seek(to position: UInt64) {
    seek(to: Int(exactly: position) ?? -1)
  }
}
