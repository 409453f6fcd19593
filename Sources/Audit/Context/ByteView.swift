// Bounds-checked little-endian reads. The tables come from a file that anybody may have written,
// so an offset outside the bytes is an ordinary answer (`nil`) and never a trap.

import KernelImage

/// A window of an image's bytes.
struct ByteView: Sendable {
  private let bytes: ImageBytes
  /// Offset of the window's first byte in the section.
  let start: Int
  /// Length of the window.
  let count: Int

  /// The whole of `bytes`, or the part of `range` that exists.
  init(_ bytes: ImageBytes, range: Range<Int>? = nil) {
    self.bytes = bytes
    let whole = 0..<bytes.count
    let cut = range.map { $0.clamped(to: whole) } ?? whole
    start = cut.lowerBound
    count = cut.count
  }

  /// The integer at `offset` from the window's start; `nil` where it does not fit.
  @inline(__always)
  func load<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self, at offset: Int
  ) -> Value? {
    guard offset >= 0, offset <= count, count - offset >= MemoryLayout<Value>.size else {
      return nil
    }
    // SAFETY: `start + offset + size` is within `start + count`, which `init` keeps within the buffer.
    let value = bytes.buffer.loadUnaligned(fromByteOffset: start + offset, as: Value.self)
    return Value(littleEndian: value)
  }

  /// A narrower window; what lies outside this one is cut off.
  func slice(_ range: Range<Int>) -> ByteView {
    let cut = range.clamped(to: 0..<count)
    return ByteView(bytes, range: (start + cut.lowerBound)..<(start + cut.upperBound))
  }

  /// Whether the bytes at `offset` are `pattern`.
  func matches(_ pattern: [UInt8], at offset: Int) -> Bool {
    guard offset >= 0, offset <= count, count - offset >= pattern.count else { return false }
    for (index, byte) in pattern.enumerated() where load(UInt8.self, at: offset + index) != byte {
      return false
    }
    return true
  }
}
