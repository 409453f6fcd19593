// A Linux bzImage (Linux's boot protocol document, version 2.08 on): a real-mode setup part, then
// a protected-mode part that carries the compressed kernel. The audit wants the kernel inside.

/// Reads a bzImage.
enum BzImage {
  /// The setup header is there: `HdrS` behind the boot sector's mark.
  static func matches(_ bytes: ImageBytes) -> Bool {
    bytes.load(0x1fe, as: UInt16.self) == 0xaa55
      && bytes.load(0x202, as: UInt32.self) == 0x5372_6448
  }

  /// What stands behind the setup part.
  enum Payload {
    /// An ELF file, and how it was packed.
    case elf(ImageBytes, compression: String)
    /// Code without a container, and why it is taken for that.
    case bare(setupSize: UInt64, why: String)
  }

  static func read(
    _ bytes: ImageBytes, path: String, options: OpenOptions
  ) throws(ImageError) -> ImageContents {
    switch try payload(bytes, path: path, limit: options.unpackLimit) {
    case .elf(let elf, let compression):
      return try readElf(elf, path: path, compression: compression)
    case .bare(let setupSize, let why):
      return try readBare(bytes, path: path, setupSize: setupSize, why: why)
    }
  }

  /// Finds the payload and unpacks it, to at most `limit` bytes.
  static func payload(
    _ bytes: ImageBytes, path: String, limit: Int
  ) throws(ImageError) -> Payload {
    guard let sectors: UInt8 = bytes.load(0x1f1), let version: UInt16 = bytes.load(0x206) else {
      throw .malformed(path, "a whole bzImage setup header", "a file of \(bytes.count) bytes")
    }
    // Zero sectors mean four, by the protocol; the boot sector itself is not counted.
    let setupSize = (UInt64(sectors == 0 ? 4 : sectors) + 1) * 512
    guard setupSize < UInt64(bytes.count) else {
      throw .malformed(
        path, "protected-mode code behind \(setupSize) bytes of bzImage setup",
        "a file of \(bytes.count) bytes")
    }
    // The payload's place is in the header since version 2.08.
    guard version >= 0x208, let offset: UInt32 = bytes.load(0x248),
      let size: UInt32 = bytes.load(0x24c), size > 0
    else {
      return .bare(setupSize: setupSize, why: "no payload")
    }
    guard let payload = bytes.slice(setupSize + UInt64(offset), count: UInt64(size)) else {
      throw .malformed(
        path, "a bzImage payload inside the file's \(bytes.count) bytes",
        "\(size) bytes at \(hexadecimal(setupSize + UInt64(offset)))")
    }
    if ElfHeader.matches(payload) {
      return .elf(payload, compression: "none")
    }
    guard !payload.starts(with: [0x89, 0x4c, 0x5a, 0x4f]) else {
      throw .unsupported(
        path, "a payload packed by gzip, xz, lzma, zstd, lz4 or bzip2", "one packed by lzo")
    }
    guard let compression = Compression(magicOf: payload) else {
      let found = "a payload that begins with \(payload.hexPrefix(6)), of no known compression"
      return .bare(setupSize: setupSize, why: found)
    }
    let unpacked = try compression.unpack(payload, path: path, limit: limit)
    guard ElfHeader.matches(unpacked) else {
      return .bare(setupSize: setupSize, why: "a payload that holds no ELF file")
    }
    return .elf(unpacked, compression: compression.name)
  }

  private static func readElf(
    _ bytes: ImageBytes, path: String, compression: String
  ) throws(ImageError) -> ImageContents {
    var contents = try ElfReader.read(bytes, path: path)
    contents.format = .bzImage
    contents.remarks.append("the kernel inside the bzImage was unpacked (\(compression))")
    return contents
  }

  /// Reads an image that borrows Linux's header for code of its own, as memtest86+ does.
  private static func readBare(
    _ bytes: ImageBytes, path: String, setupSize: UInt64, why: String
  ) throws(ImageError) -> ImageContents {
    if PortableExecutable.matches(bytes) {
      var contents = try PortableExecutable.read(bytes, path: path)
      contents.remarks.append("the bzImage header names \(why); its PE header is followed")
      return contents
    }
    // XLF_KERNEL_64: there is a 64-bit entry, so the bulk of the code is 64-bit.
    let is64 = bytes.load(0x236, as: UInt16.self).map { $0 & 1 != 0 } ?? false
    let start = UInt64(bytes.load(0x214, as: UInt32.self) ?? 0x10_0000)
    let size = UInt64(bytes.count) - setupSize
    guard let setup = bytes.slice(0, count: setupSize),
      let code = bytes.slice(setupSize, count: size)
    else {
      throw .malformed(path, "code behind the bzImage setup", "none")
    }
    var contents = ImageContents(format: .bzImage, width: is64 ? .bits64 : .bits32)
    contents.append(
      name: "code", address: start, size: size, isExecutable: true, isWritable: true, bytes: code)
    // Its address is relative to the segment that the boot loader chooses.
    contents.append(
      name: "setup", address: 0, size: setupSize, isAllocated: false, isExecutable: false,
      bytes: setup)
    if is64 {
      contents.entries.append(
        CodeEntry(address: start, width: .bits32, origin: "bzImage 32-bit entry"))
    }
    contents.remarks.append(
      "the bzImage header names \(why); what follows the setup part is read as bare code")
    return contents
  }
}
