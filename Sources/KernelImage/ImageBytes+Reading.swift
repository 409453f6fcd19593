// Checked reads of little-endian numbers and strings from an image. All readers of this module,
// and whoever follows a kernel's tables, go through these: an offset out of a hostile file
// gives `nil`, never a trap and never a read outside.

extension ImageBytes {
  /// Bytes of its own, copied.
  public init(copying source: some Collection<UInt8>) {
    self = HeapBytes(copying: source).bytes
  }

  /// The little-endian integer at an offset, or `nil` where it would reach outside.
  @inlinable
  public func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, as type: T.Type = T.self
  ) -> T? {
    let size = MemoryLayout<T>.size
    guard offset >= 0, buffer.count >= size, offset <= buffer.count - size else { return nil }
    // SAFETY: the guard keeps [offset, offset + size) inside the buffer, and `self`, which the
    // caller holds, keeps the buffer alive.
    return T(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The little-endian integer at an offset that came out of a file.
  @inlinable
  public func load<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: UInt64, as type: T.Type = T.self
  ) -> T? {
    guard let offset = Int(exactly: offset) else { return nil }
    return load(offset, as: type)
  }

  /// The part of `count` bytes from `offset`, or `nil` where it would reach outside.
  public func slice(_ offset: UInt64, count size: UInt64) -> Self? {
    let (end, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, end <= UInt64(buffer.count) else { return nil }
    // Both fit: they are at most the buffer's count.
    return Self(
      owner: owner, buffer: UnsafeRawBufferPointer(rebasing: buffer[Int(offset)..<Int(end)]))
  }

  /// The part from `offset` to the end, empty where `offset` is outside.
  public func suffix(from offset: Int) -> Self {
    guard offset >= 0, offset <= buffer.count else { return .empty }
    return Self(owner: owner, buffer: UnsafeRawBufferPointer(rebasing: buffer[offset...]))
  }

  /// The bytes begin with these.
  func starts(with prefix: [UInt8]) -> Bool {
    count >= prefix.count && buffer.prefix(prefix.count).elementsEqual(prefix)
  }

  /// The zero-terminated text at an offset, or `nil` where there is none of less than `limit` bytes.
  ///
  /// Control characters are refused: names go to terminals. What is no UTF-8 is replaced.
  func string(at offset: Int, limit: Int) -> String? {
    guard offset >= 0, offset < count, limit > 0 else { return nil }
    let last = offset + min(limit, count - offset) - 1
    var end = offset
    // SAFETY: `end` stays at or below `last`, which is inside the buffer.
    while buffer[end] != 0 {
      guard end < last, buffer[end] >= 0x20, buffer[end] != 0x7f else { return nil }
      end += 1
    }
    return String(decoding: UnsafeRawBufferPointer(rebasing: buffer[offset..<end]), as: UTF8.self)
  }

  /// The first `limit` bytes in hexadecimal, for messages.
  func hexPrefix(_ limit: Int) -> String {
    buffer.prefix(limit).map { hexadecimalDigits([$0]) }.joined(separator: " ")
  }
}

/// Owns bytes on the heap.
///
/// `@unchecked Sendable`: the bytes are written only in the initializer.
private final class HeapBytes: @unchecked Sendable {
  private let storage: UnsafeMutableRawBufferPointer

  init(copying source: some Collection<UInt8>) {
    storage = .allocate(byteCount: source.count, alignment: 16)
    storage.copyBytes(from: source)
  }

  deinit { storage.deallocate() }

  // SAFETY: the memory lives as long as this object, which the result holds.
  var bytes: ImageBytes { ImageBytes(owner: self, buffer: UnsafeRawBufferPointer(storage)) }
}

/// A number as messages show it.
func hexadecimal(_ value: some BinaryInteger) -> String {
  "0x" + String(value, radix: 16)
}

/// Bytes as two lowercase digits each.
func hexadecimalDigits(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for byte in bytes {
    if byte < 16 { text += "0" }
    text += String(byte, radix: 16)
  }
  return text
}
