// What can go wrong with a request. The command renders it.

/// Why nothing was generated.
public enum ScaffoldError: Error, Equatable {
  /// There is no template for this pair.
  case language(kind: ScaffoldKind, found: String, known: [String])
  /// There is no porting layer for this system in this language.
  case preset(language: String, found: String, known: [String])
  /// It is not written for this architecture.
  case architecture(language: String, found: String, known: [String])
  /// A name that would not do as a file's name.
  case name(String)
  /// The folder has something in it.
  case notEmpty(String)
  /// The folder cannot be written.
  case folder(String, String)
  /// A template has a fault of its own.
  case template(String, String)
}

extension ScaffoldError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .language(let kind, let found, let known):
      "--language: expected \(known.joined(separator: ", ")) for \(kind.rawValue), found \(found)"
    case .preset(let language, let found, let known):
      "--os: expected \(known.joined(separator: ", ")) for \(language), found \(found)"
    case .architecture(let language, let found, let known):
      "--arch: expected \(known.joined(separator: ", ")) for \(language), found \(found) (which c has)"
    case .name(let name):
      "--name: expected letters, digits, `-` and `_`, beginning with a letter, found \(name)"
    case .notEmpty(let path):
      "\(path): expected no such folder, or an empty one, found files (--force writes over them)"
    case .folder(let path, let why):
      "\(path): expected a folder that can be written, found: \(why)"
    case .template(let path, let why): "templates/\(path): \(why)"
    }
  }
}
