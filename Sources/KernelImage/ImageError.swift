// What can be wrong with a file that a user names. Data only; the command renders it.

/// Why an image, debug file or map could not be read.
public struct ImageError: Error, Sendable, Equatable {
  /// The kind of fault, which decides the command's exit code.
  public enum Code: Sendable, Equatable {
    /// The file cannot be opened or read.
    case unreadable
    /// The file is not of any known format.
    case unknownFormat
    /// The file claims a format and breaks its rules.
    case malformed
    /// The file is well formed and not for this tool (another machine, say).
    case unsupported
    /// The file asks for more memory than the tool allows.
    case tooLarge
  }
  public var code: Code
  /// The file, as the user gave it.
  public var path: String
  /// What a good file would have there.
  public var expected: String
  /// What is there instead.
  public var found: String

  public init(_ code: Code, path: String, expected: String, found: String) {
    self.code = code
    self.path = path
    self.expected = expected
    self.found = found
  }
}
