// SHA-256 of a file, by which a report names the exact image that it is about.

import Glibc

/// Digests of files.
public enum ImageDigest {
  /// The SHA-256 digest of the file at `path`, in lowercase hexadecimal.
  ///
  /// The file is read in pieces of one megabyte, so that it does not become resident.
  public static func sha256(path: String) throws(ImageError) -> String {
    let descriptor = try MappedFile.openRegular(path: path)
    defer { close(descriptor.number) }
    guard let digest = StreamDigest() else {
      throw .unreadable(path, "libcrypto's SHA-256", "a libcrypto without it")
    }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { piece.deallocate() }
    while true {
      let count = Glibc.read(descriptor.number, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .unreadable(path, "a readable file", MappedFile.reason(errno))
      }
      if count == 0 { break }
      digest.take(UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
    return hexadecimalDigits(digest.end())
  }
}
