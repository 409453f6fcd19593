// Short spellings for the readers: `throw .malformed(path, expected, found)`.

extension ImageError {
  static func unreadable(_ path: String, _ expected: String, _ found: String) -> Self {
    Self(.unreadable, path: path, expected: expected, found: found)
  }

  static func unknownFormat(_ path: String, _ expected: String, _ found: String) -> Self {
    Self(.unknownFormat, path: path, expected: expected, found: found)
  }

  static func malformed(_ path: String, _ expected: String, _ found: String) -> Self {
    Self(.malformed, path: path, expected: expected, found: found)
  }

  static func unsupported(_ path: String, _ expected: String, _ found: String) -> Self {
    Self(.unsupported, path: path, expected: expected, found: found)
  }

  static func tooLarge(_ path: String, _ expected: String, _ found: String) -> Self {
    Self(.tooLarge, path: path, expected: expected, found: found)
  }
}
