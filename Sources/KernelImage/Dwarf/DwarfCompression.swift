// Compressed debugging sections: SHF_COMPRESSED with zlib or zstd (gABI, "Section Compression"), and
// the older GNU form, sections named .zdebug_*.

import CCompression

/// A packed section: how it is packed, and how many bytes it claims to unpack to.
struct DwarfCompression {
  private enum Method {
    case zlib
    case zstd
  }

  /// Bytes after unpacking.
  let size: UInt64
  private let method: Method
  private let payload: UnsafeRawBufferPointer

  /// Reads the header in front of the packed bytes; `nil` where the section is not packed.
  init?(
    _ stored: UnsafeRawBufferPointer, isMarked: Bool, isNamed: Bool, is64: Bool, name: String,
    path: String
  ) throws(ImageError) {
    var cursor = DwarfCursor(stored)
    if isMarked {
      let type = cursor.u32()
      if is64 { cursor.skip(4) }
      size = cursor.unsigned(size: is64 ? 8 : 4)
      cursor.skip(is64 ? 8 : 4)
      guard type == 1 || type == 2 || cursor.failed else {
        throw ImageError(
          .unsupported, path: path, expected: "section \(name) packed by zlib (1) or zstd (2)",
          found: "compression type \(type)")
      }
      method = type == 2 ? .zstd : .zlib
    } else if isNamed {
      guard cursor.u32() == 0x4249_4c5a else { return nil }  // "ZLIB"
      size = cursor.u64().byteSwapped
      method = .zlib
    } else {
      return nil
    }
    guard !cursor.failed else {
      throw ImageError(
        .malformed, path: path, expected: "a compression header in section \(name)",
        found: "\(stored.count) bytes")
    }
    payload = UnsafeRawBufferPointer(rebasing: stored[cursor.offset...])
  }

  /// Unpacks into a buffer of ``size`` bytes; false where the stream gives other than that many.
  func unpack(into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard let source = payload.baseAddress, let target = buffer.baseAddress else {
      return buffer.isEmpty
    }
    // SAFETY: both calls are given the true sizes of both buffers and stay inside them.
    switch method {
    case .zlib:
      var count = uLongf(buffer.count)
      let status = uncompress(
        target.assumingMemoryBound(to: Bytef.self), &count,
        source.assumingMemoryBound(to: Bytef.self), uLong(payload.count))
      return status == Z_OK && count == uLongf(buffer.count)
    case .zstd:
      let count = ZSTD_decompress(target, buffer.count, source, payload.count)
      return ZSTD_isError(count) == 0 && count == buffer.count
    }
  }
}
