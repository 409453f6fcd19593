// SHA-256 of bytes as they come: whoever has a file has ImageDigest, over this.

import CCrypto

/// A digest under way.
public final class StreamDigest {
  private let context: OpaquePointer

  /// The digest of nothing yet.
  ///
  /// `nil` where libcrypto has no SHA-256, or no memory.
  public init?() {
    guard let made = EVP_MD_CTX_new() else { return nil }
    guard EVP_DigestInit_ex(made, EVP_sha256(), nil) == 1 else {
      EVP_MD_CTX_free(made)
      return nil
    }
    context = made
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes further bytes.
  public func take(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// Takes further bytes.
  public func take(_ bytes: [UInt8]) { bytes.withUnsafeBytes { take($0) } }

  /// The 32 bytes; nothing is taken after.
  public func end() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var size: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &size)
    return Array(digest.prefix(Int(size)))
  }
}
