// From a path to an image: find out the format, let its reader work, then find names.

extension KernelImage {
  /// Reads the image at `path`.
  public static func open(
    path: String, options: OpenOptions = OpenOptions()
  ) throws(ImageError) -> KernelImage {
    let file = try MappedFile(path: path)
    let image = try read(bytes: file.bytes, path: path, options: options, isFile: true)
    try file.checkUnchanged(path: path)
    return image
  }

  /// Reads an image out of memory; `path` is for messages only.
  public static func read(
    bytes: ImageBytes, path: String, options: OpenOptions = OpenOptions()
  ) throws(ImageError) -> KernelImage {
    try read(bytes: bytes, path: path, options: options, isFile: false)
  }

  /// The ELF file inside the bzImage at `path`, unpacked.
  ///
  /// - Throws: ``ImageError`` where the file is no bzImage, or holds no ELF file.
  public static func unpack(path: String) throws(ImageError) -> ImageBytes {
    let file = try MappedFile(path: path)
    guard BzImage.matches(file.bytes) else {
      throw ImageError(
        .unknownFormat, path: path, expected: "a Linux bzImage", found: "no setup header of one")
    }
    switch try BzImage.payload(file.bytes, path: path, limit: OpenOptions().unpackLimit) {
    case .elf(let bytes, _): return bytes
    case .bare(_, let why):
      throw ImageError(
        .unsupported, path: path, expected: "an ELF file inside the bzImage", found: why)
    }
  }

  private static func read(
    bytes: ImageBytes, path: String, options: OpenOptions, isFile: Bool
  ) throws(ImageError) -> KernelImage {
    var contents = try FormatDetection(path: path, options: options).read(bytes)
    try NameSources(path: path, options: options).addNames(to: &contents)
    contents.symbols.sortForImage()
    let isElf = isFile && options.raw == nil && ElfHeader.matches(bytes)
    return KernelImage(
      sorted: contents, path: path, elfPath: options.debugFile ?? (isElf ? path : nil))
  }
}
