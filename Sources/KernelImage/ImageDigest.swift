// SHA-256 of a file, by which a report names the exact image that it is about.

import CCrypto
import Glibc

/// Digests of files.
public enum ImageDigest {
  /// The SHA-256 digest of the file at `path`, in lowercase hexadecimal.
  ///
  /// The file is read in pieces of one megabyte, so that it does not become resident.
  public static func sha256(path: String) throws(ImageError) -> String {
    let descriptor = try MappedFile.openRegular(path: path)
    defer { close(descriptor.number) }
    guard let context = EVP_MD_CTX_new() else {
      throw .unreadable(path, "memory for a digest", "none")
    }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
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
      EVP_DigestUpdate(context, piece.baseAddress, count)
    }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var size: UInt32 = 0
    guard EVP_DigestFinal_ex(context, &digest, &size) == 1 else {
      throw .unreadable(path, "libcrypto's SHA-256", "a digest that does not end")
    }
    return hexadecimalDigits(digest.prefix(Int(size)))
  }
}
