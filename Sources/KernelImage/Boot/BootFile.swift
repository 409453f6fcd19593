// A file as a boot loader finds it. ``KernelImage`` wants a sound file and what stands in it; here
// the file's faults are the subject, so nothing beyond the wrapping is read or judged.

/// A kernel file, with the wrapping taken off that loaders take off.
public struct BootFile: Sendable {
  /// The path as the user gave it.
  public var path: String
  /// The file, unpacked where the whole of it is compressed.
  public var bytes: ImageBytes
  /// What the loader loads: the payload of a bzImage where it is an ELF file, the file otherwise.
  public var kernel: ImageBytes
  /// How the whole file is compressed, where it is.
  public var compression: String?
  /// The Linux boot protocol's header, where the file has one.
  public var linux: LinuxSetup?

  /// Reads the file at `path`.
  ///
  /// - Throws: ``ImageError`` where the file cannot be read or unpacked.
  public static func open(
    path: String, unpackLimit: Int = OpenOptions().unpackLimit
  ) throws(ImageError) -> Self {
    let file = try MappedFile(path: path)
    let boot = try Self(file.bytes, path: path, unpackLimit: unpackLimit)
    try file.checkUnchanged(path: path)
    return boot
  }

  /// Takes the wrapping off bytes in memory; `path` is for messages only.
  public init(
    _ file: ImageBytes, path: String, unpackLimit: Int = OpenOptions().unpackLimit
  ) throws(ImageError) {
    self.path = path
    bytes = file
    if !BzImage.matches(file), let packed = Compression(magicOf: file) {
      bytes = try packed.unpack(file, path: path, limit: unpackLimit)
      compression = packed.name
    }
    kernel = bytes
    guard BzImage.matches(bytes) else { return }
    switch try BzImage.payload(bytes, path: path, limit: unpackLimit) {
    case .elf(let elf, let compression):
      kernel = elf
      linux = LinuxSetup(bytes, payload: .elf(compression: compression))
    case .bare(_, let why):
      linux = LinuxSetup(bytes, payload: .other(why))
    }
  }

  /// Whether what the loader loads is not the file as it stands.
  public var isWrapped: Bool {
    if case .elf = linux?.payload { return true }
    return compression != nil
  }

  /// The header of multiboot 1 in the file, where it has one.
  public var multiboot: Multiboot? { Multiboot.header(in: bytes) }

  /// The header of multiboot 2 in the file, where it has one.
  public var multiboot2: Multiboot2? { Multiboot2.header(in: bytes) }
}

/// What the setup header of a bzImage says to boot loaders.
public struct LinuxSetup: Sendable, Equatable {
  /// What stands behind the setup part.
  public enum Payload: Sendable, Equatable {
    /// An ELF file, and how it is packed.
    case elf(compression: String)
    /// Something else, and what.
    case other(String)
  }
  /// Version of the boot protocol, major in the upper byte.
  public var version: UInt16
  public var payload: Payload
  /// The protected-mode part loads at 1 MB (`LOADED_HIGH`).
  public var loadsHigh: Bool
  /// There is a 64-bit entry (`XLF_KERNEL_64`).
  public var has64BitEntry: Bool
  /// The address that the kernel would rather run at; 0 where it does not say.
  public var preferredAddress: UInt64
  /// Bytes of memory that the kernel needs from there; 0 where it does not say.
  public var initSize: UInt32

  init?(_ bytes: ImageBytes, payload: Payload) {
    guard let version: UInt16 = bytes.load(0x206), let flags: UInt8 = bytes.load(0x211) else {
      return nil
    }
    self.version = version
    self.payload = payload
    loadsHigh = flags & 1 != 0
    // Fields came with versions 2.12 and 2.10 (Linux, Documentation/arch/x86/boot.rst).
    has64BitEntry =
      version >= 0x20c && bytes.load(0x236, as: UInt16.self).map { $0 & 1 != 0 } ?? false
    preferredAddress = version >= 0x20a ? bytes.load(0x258) ?? 0 : 0
    initSize = version >= 0x20a ? bytes.load(0x260) ?? 0 : 0
  }
}
