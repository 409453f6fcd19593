// One path of a tree, whether the tree is a folder or a revision.

/// What stands at a path.
enum EntryKind: Sendable, Equatable {
  case file
  case symlink
  /// A repository in the repository.
  case submodule
  /// A device, pipe or socket in a folder.
  case other
}

/// One path of a tree.
struct TreeEntry: Sendable {
  /// The path from the tree's root; bytes that are no UTF-8 are spelled `\xNN`.
  var path: String
  /// The path's bytes, where `path` does not spell them.
  var rawPath: [UInt8]?
  var kind: EntryKind
  /// The blob's name; for a file of a folder once it was given to git.
  var object: String?
  /// Bytes, where the tree says it; 0 otherwise.
  var size = 0

  init(rawPath bytes: [UInt8], kind: EntryKind, object: String? = nil, size: Int = 0) {
    if let text = String(validating: bytes, as: UTF8.self) {
      path = text
    } else {
      path = Self.spell(bytes)
      rawPath = bytes
    }
    self.kind = kind
    self.object = object
    self.size = size
  }

  private static func spell(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      byte < 0x80
        ? String(UnicodeScalar(byte))
        : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
