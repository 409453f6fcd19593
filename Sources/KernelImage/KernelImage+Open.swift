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
