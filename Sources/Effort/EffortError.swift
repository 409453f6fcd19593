// How counting can fail. Data only; the command turns it into text and an exit code.

/// A fault of the input or of this machine.
public enum EffortError: Error, Equatable, Sendable {
  /// What was given is not what it should be.
  case input(subject: String, expected: String, found: String)
  /// A fault of the map, with its place; lines and columns count from 1.
  case map(file: String, line: Int, column: Int, expected: String, found: String)
  /// git cannot be found.
  case gitMissing
  /// git ran and failed.
  case git(command: String, message: String)
}
