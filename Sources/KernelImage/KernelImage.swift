// A kernel image as the audit sees it: sections with their bytes, symbols, and the places where
// execution is known to begin in another mode. Readers of each format fill it in; nothing after
// them knows which format it was.

/// The container format of an image.
public enum ImageFormat: String, Sendable {
  /// A 64-bit ELF executable, shared object or relocatable.
  case elf64
  /// A 32-bit ELF executable, shared object or relocatable.
  case elf32
  /// A Linux bzImage; what it holds is the unpacked payload.
  case bzImage
  /// A PE32 or PE32+ image, as UEFI loads it.
  case pe
  /// A multiboot 1 image with load addresses in its header (no ELF).
  case multiboot
  /// Bytes without a container, at an address that the user gives.
  case raw
}

/// The width of code: which of the processor's three decoding modes applies.
public enum CodeWidth: Int, Sendable, CaseIterable {
  case bits16 = 16
  case bits32 = 32
  case bits64 = 64
}

/// One section of an image, or a segment of it where there are no sections.
public struct ImageSection: Sendable {
  /// Position in ``KernelImage/sections``.
  public var index: Int
  /// The section's name; `segment N` where the file names none.
  public var name: String
  /// Virtual address of the first byte.
  ///
  /// In a relocatable file (kernel module) this is 0 for every section.
  public var address: UInt64
  /// Size in memory, in bytes.
  public var size: UInt64
  /// The section is part of the program in memory (`SHF_ALLOC`).
  public var isAllocated: Bool
  /// The section holds code (`SHF_EXECINSTR`).
  public var isExecutable: Bool
  /// The section can be written (`SHF_WRITE`).
  public var isWritable: Bool
  /// The contents, empty where the file has none (`SHT_NOBITS`).
  ///
  /// In a relocatable file they are as the file has them, not relocated; see
  /// ``KernelImage/relocationTargets(section:)``.
  public var bytes: ImageBytes
}

/// Bytes that live as long as the image that they came from.
///
/// `@unchecked Sendable`: the bytes are never written after ``KernelImage`` is made.
public struct ImageBytes: @unchecked Sendable {
  /// The owner, held so that the pointer stays valid.
  public let owner: AnyObject?
  /// The bytes themselves.
  public let buffer: UnsafeRawBufferPointer

  /// Bytes inside memory that `owner` keeps alive and unchanged.
  public init(owner: AnyObject?, buffer: UnsafeRawBufferPointer) {
    self.owner = owner
    self.buffer = buffer
  }

  /// No bytes.
  public static var empty: Self {
    Self(owner: nil, buffer: UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// The number of bytes.
  public var count: Int { buffer.count }
}

/// A name for an address.
public struct ImageSymbol: Sendable {
  public enum Kind: Sendable {
    case function
    case object
    case other
  }
  public var name: String
  /// Virtual address; relative to its section in a relocatable file.
  public var address: UInt64
  /// Size in bytes; 0 where unknown.
  public var size: UInt64
  public var kind: Kind
  /// The section that the symbol is in (index into ``KernelImage/sections``), where known.
  public var section: Int?
  /// The symbol is visible to other files (or weak), not local to one.
  public var isGlobal = false

  public init(name: String, address: UInt64, size: UInt64, kind: Kind, section: Int?) {
    self.name = name
    self.address = address
    self.size = size
    self.kind = kind
    self.section = section
  }
}

/// A place where the image itself says that code of a given width begins, other than its sections' own width.
public struct CodeEntry: Sendable {
  public var address: UInt64
  public var width: CodeWidth
  /// Who says so: `PVH entry note`, `multiboot header`, `bzImage setup`.
  public var origin: String

  public init(address: UInt64, width: CodeWidth, origin: String) {
    self.address = address
    self.width = width
    self.origin = origin
  }
}

/// One address to look up: in a relocatable file an address means something only with its section.
public struct ImageAddress: Sendable, Hashable, Comparable {
  /// Index into ``KernelImage/sections``.
  public var section: Int
  public var address: UInt64

  public init(section: Int, address: UInt64) {
    self.section = section
    self.address = address
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.section, left.address) < (right.section, right.address)
  }
}

/// An image that was read and checked, immutable once made.
public final class KernelImage: Sendable {
  /// The path as the user gave it.
  public let path: String
  public let format: ImageFormat
  /// Width of the code in executable sections, unless a ``CodeEntry`` says otherwise.
  public let width: CodeWidth
  /// The file is relocatable (`ET_REL`): addresses are relative to sections.
  public let isRelocatable: Bool
  /// The GNU build id in lowercase hexadecimal, where the image carries one.
  public let buildID: String?
  public let sections: [ImageSection]
  /// Sorted by section, then address, then name.
  public let symbols: [ImageSymbol]
  public let entries: [CodeEntry]
  /// The file that holds the ELF whose DWARF describes this image, where it is a file on disk.
  public let elfPath: String?
  /// Things worth telling the user that did not stop the reading ("no symbol table; function names come from kallsyms").
  public let remarks: [String]

  /// Where a relocatable file's tables point.
  let relocations: RelocationTables

  /// An image of parts that the caller made; ``open(path:options:)`` reads one from a file.
  public convenience init(
    path: String, format: ImageFormat, width: CodeWidth, isRelocatable: Bool, buildID: String?,
    sections: [ImageSection], symbols: [ImageSymbol], entries: [CodeEntry], elfPath: String?,
    remarks: [String]
  ) {
    var contents = ImageContents(format: format, width: width)
    contents.isRelocatable = isRelocatable
    contents.buildID = buildID
    contents.sections = sections
    contents.symbols = symbols
    contents.entries = entries
    contents.remarks = remarks
    self.init(contents, path: path, elfPath: elfPath)
  }

  /// An image of what a reader found.
  convenience init(_ contents: ImageContents, path: String, elfPath: String?) {
    var contents = contents
    contents.symbols.sortForImage()
    self.init(sorted: contents, path: path, elfPath: elfPath)
  }

  /// An image of what a reader found, whose symbols are in order already.
  init(sorted contents: ImageContents, path: String, elfPath: String?) {
    self.path = path
    self.elfPath = elfPath
    format = contents.format
    width = contents.width
    isRelocatable = contents.isRelocatable
    buildID = contents.buildID
    sections = contents.sections
    symbols = contents.symbols
    entries = contents.entries
    remarks = contents.remarks
    relocations = contents.relocations
  }
}
