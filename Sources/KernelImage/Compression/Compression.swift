// Compressed payloads: which format by the first bytes, and the entry to its decoder. The system's
// libraries decode; files beside this one drive each of them.

/// A compression format that Linux's build can choose for a kernel or module.
enum Compression: CaseIterable {
  case gzip
  case xz
  case lzma
  case zstd
  case lz4Legacy
  case lz4Frame
  case bzip2

  var name: String {
    switch self {
    case .gzip: "gzip"
    case .xz: "xz"
    case .lzma: "lzma"
    case .zstd: "zstd"
    case .lz4Legacy, .lz4Frame: "lz4"
    case .bzip2: "bzip2"
    }
  }

  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1f, 0x8b, 0x08]
    case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
    // The properties byte that the lzma tool writes, and the low bytes of the dictionary's size.
    case .lzma: [0x5d, 0x00, 0x00]
    case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
    case .lz4Legacy: [0x02, 0x21, 0x4c, 0x18]
    case .lz4Frame: [0x04, 0x22, 0x4d, 0x18]
    case .bzip2: [0x42, 0x5a, 0x68]
    }
  }

  /// The format whose mark stands at the start of `bytes`.
  init?(magicOf bytes: ImageBytes) {
    guard let found = Self.allCases.first(where: { bytes.starts(with: $0.magic) }) else {
      return nil
    }
    self = found
  }

  /// Unpacks to at most `limit` bytes; what follows the compressed stream is ignored.
  func unpack(_ bytes: ImageBytes, path: String, limit: Int) throws(ImageError) -> ImageBytes {
    let output = GrowingBuffer(limit: limit)
    let outcome =
      switch self {
      case .gzip: GzipDecoder.decode(bytes, into: output)
      case .xz: LzmaDecoder.decode(bytes, isAlone: false, into: output)
      case .lzma: LzmaDecoder.decode(bytes, isAlone: true, into: output)
      case .zstd: ZstdDecoder.decode(bytes, into: output)
      case .lz4Legacy: Lz4Decoder.decodeLegacy(bytes, into: output)
      case .lz4Frame: Lz4Decoder.decodeFrame(bytes, into: output)
      case .bzip2: Bzip2Decoder.decode(bytes, into: output)
      }
    switch outcome {
    case .done:
      return output.finish()
    case .full:
      throw .tooLarge(
        path, "a \(name) stream that unpacks to at most \(limit) bytes", "a larger one")
    case .damaged(let reason):
      throw .malformed(path, "a whole \(name) stream", reason)
    }
  }
}

/// How decoding ended.
enum DecodingOutcome {
  /// The stream's end was reached.
  case done
  /// The output is at its limit and the stream goes on.
  case full
  case damaged(String)

  static let truncated = Self.damaged("one that ends early")
  static let corrupt = Self.damaged("damaged data")
}
