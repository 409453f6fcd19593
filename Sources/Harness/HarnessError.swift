// Why a boot could not be tried. A guest that fails is no error but a verdict.

/// A boot that did not come about.
public enum HarnessError: Error, Sendable {
  /// The user's input cannot be used.
  case input(path: String, expected: String, found: String)
  /// This machine lacks something; `package` names what to install.
  case missing(what: String, package: String)
  /// QEMU ended by itself without having run anything.
  case emulator(message: String)
}

extension HarnessError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .input(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    case .missing(let what, let package): "\(what) is missing (Debian package: \(package))"
    case .emulator(let message): "QEMU did not start the machine: \(message)"
    }
  }
}
