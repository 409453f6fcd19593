// A kernel image or ramdisk as it lies in memory. Every number in it is the guest's.

/// Bytes of a boot module, which nothing changes while they are read.
public struct ImageBytes: @unchecked Sendable {
  // SAFETY: points to `count` readable bytes; every access is checked against `count` first.
  let base: UnsafeRawPointer
  /// How many bytes there are.
  public let count: UInt64

  /// Takes bytes that stay where they are as long as this value is used.
  public init(_ base: UnsafeRawPointer, count: UInt64) {
    self.base = base
    self.count = count
  }

  /// Whether `length` bytes from `offset` on are in the image.
  public func contains(_ offset: UInt64, _ length: UInt64) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(length)
    return !overflow && end <= count
  }

  /// The little-endian number of `width` bytes, at most 8, at an offset; nil outside the image.
  func number(_ offset: UInt64, width: UInt64) -> UInt64? {
    guard width <= 8, contains(offset, width) else { return nil }
    var value: UInt64 = 0
    for index in 0..<width {
      let byte = base.load(
        fromByteOffset: Int(truncatingIfNeeded: offset + index), as: UInt8.self)
      value |= UInt64(byte) << (index * 8)
    }
    return value
  }

  /// The sum of a base and an offset, if it does not wrap round.
  func number(_ start: UInt64, plus offset: UInt64, width: UInt64) -> UInt64? {
    let (place, overflow) = start.addingReportingOverflow(offset)
    return overflow ? nil : number(place, width: width)
  }

  /// A part of the image; nil where it does not lie in it.
  public func part(_ offset: UInt64, _ length: UInt64) -> ImageBytes? {
    guard contains(offset, length) else { return nil }
    return ImageBytes(base + Int(truncatingIfNeeded: offset), count: length)
  }

  /// Copies all bytes to a place that has room for them.
  public func copy(to place: UnsafeMutableRawPointer) {
    place.copyMemory(from: base, byteCount: Int(truncatingIfNeeded: count))
  }

  /// The byte at an offset; 0 behind the end, where text ends.
  public subscript(offset: UInt64) -> UInt8 {
    guard offset < count else { return 0 }
    return base.load(fromByteOffset: Int(truncatingIfNeeded: offset), as: UInt8.self)
  }

  /// Whether the bytes begin with a text.
  func begins(with text: StaticString) -> Bool {
    guard count >= UInt64(text.utf8CodeUnitCount) else { return false }
    for index in 0..<text.utf8CodeUnitCount
    where self[UInt64(index)] != text.utf8Start[index] {
      return false
    }
    return true
  }

  /// Whether the bytes are a text, up to a zero byte or the end.
  func isText(_ text: StaticString) -> Bool {
    begins(with: text) && self[UInt64(text.utf8CodeUnitCount)] == 0
  }
}
