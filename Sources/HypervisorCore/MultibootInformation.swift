// What a multiboot 2 loader such as GRUB says: a list of tags behind a total size.
// Multiboot2 Specification 2.0, 3.4 to 3.6.
//
//   u32 total size   u32 reserved   { u32 type   u32 size   body   padding to 8 } …
//
// A tag's size counts its head and no padding; the list ends with type 0.

/// The kinds of tags that a hypervisor needs.
public enum MultibootTagType {
  public static let end: UInt32 = 0
  public static let commandLine: UInt32 = 1
  public static let module: UInt32 = 3
  public static let memoryMap: UInt32 = 6
  /// A copy of ACPI 1.0's root pointer.
  public static let oldRootPointer: UInt32 = 14
  /// A copy of the root pointer of ACPI 2.0 and later.
  public static let newRootPointer: UInt32 = 15
}

/// One tag.
public struct MultibootTag: Sendable {
  public let type: UInt32
  /// What follows its head.
  public let body: ImageBytes

  /// A module's first byte and the byte behind its last; nil where the tag is too short, or the
  /// module ends before it begins.
  public var module: (start: UInt64, end: UInt64)? {
    guard let start = body.number(0, width: 4), let end = body.number(4, width: 4), start <= end
    else { return nil }
    return (start, end)
  }

  /// The regions of a memory map.
  public var regions: MultibootRegions { MultibootRegions(body) }
}

/// A region of a memory map; the types are those of ACPI's address map.
public struct MultibootRegion: Equatable, Sendable {
  public var start: UInt64
  /// The byte behind the last, or the highest address where the sum wraps round.
  public var end: UInt64
  public var type: UInt32
}

/// Reads the regions of a memory map in order.
public struct MultibootRegions: Sendable {
  private let body: ImageBytes
  /// The size of an entry, which may grow in later versions.
  private let entrySize: UInt64
  private var offset: UInt64 = 8

  init(_ body: ImageBytes) {
    self.body = body
    entrySize = body.number(0, width: 4) ?? 0
  }

  /// The next region; nil behind the last whole one.
  public mutating func next() -> MultibootRegion? {
    guard entrySize >= 24, body.contains(offset, entrySize),
      let start = body.number(offset, width: 8), let length = body.number(offset + 8, width: 8),
      let type = body.number(offset + 16, width: 4)
    else { return nil }
    offset += entrySize
    let (end, overflow) = start.addingReportingOverflow(length)
    return MultibootRegion(
      start: start, end: overflow ? .max : end, type: UInt32(truncatingIfNeeded: type))
  }
}

/// Reads the tags in order and never beyond the total size.
public struct MultibootInformation: Sendable {
  /// The length of what stands before the first tag, which holds the total size.
  public static let headLength: UInt64 = 8
  /// More than any loader says: a number above it is none of a loader.
  public static let longest: UInt64 = 1 << 20

  private let bytes: ImageBytes
  private var offset = Self.headLength

  /// The total size that a head tells; nil where no list of tags can be as long.
  public static func totalSize(_ head: ImageBytes) -> UInt64? {
    guard let size = head.number(0, width: 4), let reserved = head.number(4, width: 4),
      reserved == 0, (headLength + 8...longest).contains(size)
    else { return nil }
    return size
  }

  /// A reader of `bytes`, which are as many as the total size says.
  public init(_ bytes: ImageBytes) {
    self.bytes = bytes
  }

  /// The next tag; nil at the end, or where a tag is cut off or shorter than its head.
  public mutating func next() -> MultibootTag? {
    guard let type = bytes.number(offset, width: 4), let size = bytes.number(offset + 4, width: 4),
      type != UInt64(MultibootTagType.end), size >= 8,
      let body = bytes.part(offset + 8, size - 8)
    else { return nil }
    offset = (offset + size + 7) & ~7
    return MultibootTag(type: UInt32(truncatingIfNeeded: type), body: body)
  }
}
