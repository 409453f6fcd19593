// SHA-256, a piece at a time.

import CCrypto

/// A digest under way.
final class Digest {
  private let context: OpaquePointer

  init() {
    guard let made = EVP_MD_CTX_new(), EVP_DigestInit_ex(made, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto without SHA-256")
    }
    context = made
  }

  deinit { EVP_MD_CTX_free(context) }

  func take(_ bytes: some Collection<UInt8>) {
    if bytes.withContiguousStorageIfAvailable({
      EVP_DigestUpdate(context, $0.baseAddress, $0.count)
    })
      == nil
    {
      take(Array(bytes))
    }
  }

  /// The 32 bytes; nothing is taken after.
  func end() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var size: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &size)
    return Array(digest.prefix(Int(size)))
  }
}
