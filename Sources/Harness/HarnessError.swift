// Why a boot could not be tried. A guest that fails is no error but a verdict.

/// What helps where something is missing.
public enum Remedy: Sendable, CustomStringConvertible {
  /// Debian's packages.
  case package(String)
  /// What the user does.
  case step(String)

  public var description: String {
    switch self {
    case .package(let name): "Debian package: \(name)"
    case .step(let text): text
    }
  }
}

/// A boot that did not come about.
public enum HarnessError: Error, Sendable {
  /// The user's input cannot be used.
  case input(path: String, expected: String, found: String)
  /// This machine lacks something that a boot needs.
  case missing(what: String, remedy: Remedy)
  /// QEMU ended by itself without having run anything.
  case emulator(message: String)
  /// The guest was not saved.
  case save(reason: String)
}

extension HarnessError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .input(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    case .missing(let what, let remedy): "expected \(what), found none (\(remedy))"
    case .save(let reason): "the guest was not saved: \(reason)"
    case .emulator(let message): "QEMU did not start the machine: \(message)"
    }
  }
}
