// What can be wrong with a file of rules: data, each fault with its place. The command renders it.

/// One fault in a file of rules.
public struct RuleDiagnostic: Error, Sendable, Equatable {
  /// The file, as the caller named it.
  public var file: String
  /// Line and column, counted from 1; both 0 where the fault is the file itself.
  public var line: Int
  public var column: Int
  /// What a good file would have there.
  public var expected: String
  /// What is there instead.
  public var found: String
  /// What to do about it; empty where that is plain.
  public var hint: String

  public init(
    file: String, line: Int, column: Int, expected: String, found: String, hint: String = ""
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.expected = expected
    self.found = found
    self.hint = hint
  }
}

extension RuleDiagnostic: CustomStringConvertible {
  public var description: String {
    let place = line > 0 ? "\(file):\(line):\(column)" : file
    let advice = hint.isEmpty ? "" : " (\(hint))"
    return "\(place): expected \(expected), found \(found)\(advice)"
  }
}

/// Everything wrong with a set of rule files, in the order of the text.
public struct RuleFileError: Error, Sendable, Equatable {
  /// At least one; at most ``RuleFileError/limit``.
  public var diagnostics: [RuleDiagnostic]

  /// More faults than this are not collected: a file of another kind would give thousands.
  public static let limit = 100

  public init(diagnostics: [RuleDiagnostic]) {
    self.diagnostics = diagnostics
  }
}

extension RuleFileError: CustomStringConvertible {
  public var description: String {
    diagnostics.map(\.description).joined(separator: "\n")
  }
}
