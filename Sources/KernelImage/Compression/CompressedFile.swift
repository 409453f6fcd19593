// Whole files that may be compressed, such as a hypervisor's image in /boot.

/// A file that may be packed by any of the compressions that kernels use.
public enum CompressedFile {
  /// The file's contents, unpacked where they are packed.
  ///
  /// - Throws: ``ImageError`` where the file cannot be read, is damaged, or unpacks to more than `limit` bytes.
  public static func contents(path: String, limit: Int = 512 << 20) throws(ImageError)
    -> ImageBytes
  {
    let file = try MappedFile(path: path)
    guard let compression = Compression(magicOf: file.bytes) else { return file.bytes }
    return try compression.unpack(file.bytes, path: path, limit: limit)
  }
}
