// Which reader a file is for, by its first bytes.

/// Chooses the reader.
struct FormatDetection {
  var path: String
  var options: OpenOptions

  func read(_ bytes: ImageBytes) throws(ImageError) -> ImageContents {
    if let raw = options.raw {
      return try RawImage.read(bytes, path: path, raw: raw)
    }
    // Modules and Xen's images are often files that are compressed as a whole.
    guard let compression = Compression(magicOf: bytes), !BzImage.matches(bytes) else {
      return try readUncompressed(bytes)
    }
    let unpacked = try compression.unpack(bytes, path: path, limit: options.unpackLimit)
    var contents = try readUncompressed(unpacked)
    contents.remarks.append("the file is compressed (\(compression.name)) and was unpacked")
    return contents
  }

  /// Reads what is no compressed file; compressed files inside compressed files end here.
  private func readUncompressed(_ bytes: ImageBytes) throws(ImageError) -> ImageContents {
    if ElfHeader.matches(bytes) {
      return try ElfReader.read(bytes, path: path)
    }
    if BzImage.matches(bytes) {
      return try BzImage.read(bytes, path: path, options: options)
    }
    if PortableExecutable.matches(bytes) {
      return try PortableExecutable.read(bytes, path: path)
    }
    if let header = Multiboot.header(in: bytes), header.hasAddresses {
      return try header.read(bytes, path: path)
    }
    throw .unknownFormat(
      path, "an ELF file, Linux bzImage, PE image or multiboot image (or --raw for bare code)",
      bytes.count == 0 ? "an empty file" : "a file that begins with \(bytes.hexPrefix(8))")
  }
}

/// Bytes without a container.
enum RawImage {
  static func read(
    _ bytes: ImageBytes, path: String, raw: OpenOptions.Raw
  ) throws(ImageError) -> ImageContents {
    guard bytes.count > 0 else {
      throw .malformed(path, "code", "an empty file")
    }
    guard !raw.base.addingReportingOverflow(UInt64(bytes.count) - 1).overflow else {
      throw .malformed(
        path, "a base address that leaves room for \(bytes.count) bytes", hexadecimal(raw.base))
    }
    var contents = ImageContents(format: .raw, width: raw.width)
    contents.append(
      name: "raw", address: raw.base, size: UInt64(bytes.count), isExecutable: true, bytes: bytes)
    return contents
  }
}
