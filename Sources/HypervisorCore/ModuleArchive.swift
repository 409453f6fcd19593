// Several boot modules in one file, for boot loaders that load one only: a cpio archive of the
// format "newc". Each member is a header of 110 characters, its name and its bytes, the latter two
// padded to a multiple of 4 counted from the archive's beginning:
//
//   070701 ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
//
// Every field behind the magic is 8 hexadecimal digits. The archive ends with the name TRAILER!!!.

/// What stands at the reader's place in an archive.
public enum ArchiveStep: Equatable, Sendable {
  /// The next regular member's bytes, counted from the archive's beginning.
  case member(offset: UInt64, length: UInt64)
  /// The archive's end.
  case end
  /// A header that is none, or lengths that leave the archive.
  case broken
}

/// Reads the members of an archive in order.
public struct ModuleArchive: Sendable {
  private static let headerLength: UInt64 = 110
  private static let modeField: UInt64 = 1
  private static let sizeField: UInt64 = 6
  private static let nameSizeField: UInt64 = 11
  private static let typeMask: UInt64 = 0o170000
  private static let regular: UInt64 = 0o100000

  private let bytes: ImageBytes
  private var offset: UInt64 = 0

  /// A reader of `bytes`; nil where they do not begin as an archive does.
  public init?(_ bytes: ImageBytes) {
    guard bytes.begins(with: "070701") else { return nil }
    self.bytes = bytes
  }

  /// The next regular member; its name and what is no regular file are passed over.
  ///
  /// Lengths have 32 bits and offsets are at most the archive's size, so sums do not wrap round; a
  /// hostile length leaves the archive and is found by that.
  public mutating func next() -> ArchiveStep {
    while let header = bytes.part(offset, Self.headerLength), header.begins(with: "070701"),
      let mode = header.hexadecimal(field: Self.modeField),
      let size = header.hexadecimal(field: Self.sizeField),
      let nameSize = header.hexadecimal(field: Self.nameSizeField),
      let name = bytes.part(offset + Self.headerLength, nameSize)
    {
      if name.isText("TRAILER!!!") { return .end }
      let data = padded(offset + Self.headerLength + nameSize)
      guard bytes.contains(data, size) else { return .broken }
      offset = padded(data + size)
      if mode & Self.typeMask == Self.regular { return .member(offset: data, length: size) }
    }
    return .broken
  }

  private func padded(_ offset: UInt64) -> UInt64 { (offset + 3) & ~3 }
}

extension ImageBytes {
  /// The number in the 8 digits of a field, counted from the one behind the magic.
  fileprivate func hexadecimal(field: UInt64) -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<UInt64(8) {
      let digit: UInt8
      switch self[6 + field * 8 + index] {
      case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
      case let byte where (0x41...0x46).contains(byte): digit = byte - 0x37
      case let byte where (0x61...0x66).contains(byte): digit = byte - 0x57
      default: return nil
      }
      value = value << 4 | UInt64(digit)
    }
    return value
  }
}
