// Multiboot headers (Multiboot Specification 0.6.96, section 3.1, and 2.0, section 3.1). Both
// protocols enter a kernel in 32-bit mode, whatever the kernel is for otherwise.

/// A multiboot 1 header.
public struct Multiboot: Sendable, Equatable {
  /// Where the header stands in the file.
  public var offset: Int
  public var flags: UInt32
  public var headerAddress: UInt32
  public var loadAddress: UInt32
  public var loadEnd: UInt32
  public var entry: UInt32

  /// The header carries load addresses, so that the file need not be ELF.
  public var hasAddresses: Bool { flags & 1 << 16 != 0 }

  /// Finds the header, which stands in the first 8192 bytes at a multiple of four.
  static func header(in bytes: ImageBytes) -> Self? {
    for offset in stride(from: 0, to: min(bytes.count, 8192) - 11, by: 4) {
      guard bytes.load(offset, as: UInt32.self) == 0x1bad_b002,
        let flags: UInt32 = bytes.load(offset + 4), let sum: UInt32 = bytes.load(offset + 8),
        0x1bad_b002 &+ flags &+ sum == 0
      else { continue }
      func field(_ at: Int) -> UInt32 { bytes.load(offset + at) ?? 0 }
      return Self(
        offset: offset, flags: flags, headerAddress: field(12), loadAddress: field(16),
        loadEnd: field(20), entry: field(28))
    }
    return nil
  }

  /// Reads a file that is no ELF and says in this header where it loads.
  func read(_ bytes: ImageBytes, path: String) throws(ImageError) -> ImageContents {
    let before = UInt64(headerAddress).subtractingReportingOverflow(UInt64(loadAddress))
    guard !before.overflow, before.partialValue <= UInt64(offset) else {
      throw .malformed(
        path, "a multiboot load address between the file's start and the header",
        "load address \(hexadecimal(loadAddress)), header at \(hexadecimal(headerAddress))")
    }
    let start = UInt64(offset) - before.partialValue
    let available = UInt64(bytes.count) - start
    let size = loadEnd == 0 ? available : UInt64(loadEnd) &- UInt64(loadAddress)
    guard loadEnd == 0 || loadEnd > loadAddress, let code = bytes.slice(start, count: size) else {
      throw .malformed(
        path, "a multiboot load end inside the file's \(bytes.count) bytes",
        "load end \(hexadecimal(loadEnd)), load address \(hexadecimal(loadAddress))")
    }
    var contents = ImageContents(format: .multiboot, width: .bits32)
    contents.append(
      name: "multiboot", address: UInt64(loadAddress), size: size, isExecutable: true,
      isWritable: true, bytes: code)
    contents.entries = [
      CodeEntry(address: UInt64(entry), width: .bits32, origin: "multiboot header")
    ]
    return contents
  }
}

/// A multiboot 2 header.
public struct Multiboot2: Sendable, Equatable {
  /// Where the header stands in the file.
  public var offset: Int
  /// The entry that a tag names, where it is not the file's own.
  public var entry: UInt64?

  /// Finds the header, which stands in the first 32768 bytes at a multiple of eight.
  static func header(in bytes: ImageBytes) -> Self? {
    for offset in stride(from: 0, to: min(bytes.count, 32_768) - 15, by: 8) {
      guard bytes.load(offset, as: UInt32.self) == 0xe852_50d6,
        let architecture: UInt32 = bytes.load(offset + 4), architecture == 0,
        let length: UInt32 = bytes.load(offset + 8), let sum: UInt32 = bytes.load(offset + 12),
        0xe852_50d6 &+ architecture &+ length &+ sum == 0
      else { continue }
      return Self(
        offset: offset, entry: entryTag(in: bytes, from: offset + 16, to: offset + Int(length)))
    }
    return nil
  }

  /// Walks the tags for the one of type 3, the entry address.
  private static func entryTag(in bytes: ImageBytes, from start: Int, to end: Int) -> UInt64? {
    var position = start
    while position < min(end, bytes.count), let type: UInt16 = bytes.load(position),
      let size: UInt32 = bytes.load(position + 4), size >= 8, type != 0
    {
      if type == 3 { return bytes.load(position + 8, as: UInt32.self).map(UInt64.init) }
      position += (Int(size) + 7) & ~7
    }
    return nil
  }
}
