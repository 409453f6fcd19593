// What the user can say about an image that the image does not say itself.

/// How to read an image.
public struct OpenOptions: Sendable, Equatable {
  /// Bytes without a container: their width, and the address of the first one.
  public struct Raw: Sendable, Equatable {
    public var width: CodeWidth
    public var base: UInt64

    public init(width: CodeWidth, base: UInt64) {
      self.width = width
      self.base = base
    }
  }

  /// A `System.map` whose names are used where the image has no symbol table of its own.
  public var systemMap: String?
  /// The file with the image's debugging information (and symbols), where it is a file of its own.
  public var debugFile: String?
  /// Read the file as bare code, whatever it looks like.
  public var raw: Raw?
  /// Look for the kernel's own symbol table (kallsyms) where there is no other.
  public var readsKallsyms: Bool
  /// The most memory that unpacking a compressed image may take, in bytes.
  public var unpackLimit: Int

  public init(
    systemMap: String? = nil, debugFile: String? = nil, raw: Raw? = nil,
    readsKallsyms: Bool = true, unpackLimit: Int = 512 << 20
  ) {
    self.systemMap = systemMap
    self.debugFile = debugFile
    self.raw = raw
    self.readsKallsyms = readsKallsyms
    self.unpackLimit = unpackLimit
  }
}
