// How a command ends badly: one place that turns errors into text and exit codes.

import Audit
import Disassembly
import Harness
import KernelImage

/// A message for people and the exit code that goes with it.
struct CommandFailure: Error {
  var message: String
  var exitCode: Int32

  /// Bad usage or bad input.
  static func input(_ message: String) -> Self {
    Self(message: message, exitCode: 2)
  }

  /// Something that this machine lacks.
  static func missing(_ message: String) -> Self {
    Self(message: message, exitCode: 3)
  }

  /// A verdict that is bad, already told.
  static let badVerdict = Self(message: "", exitCode: 1)

  init(message: String, exitCode: Int32) {
    self.message = message
    self.exitCode = exitCode
  }

  /// A file that could not be read as what it should be.
  init(_ error: ImageError) {
    self = .input("\(error.path): expected \(error.expected), found \(error.found)")
  }

  init(_ error: AuditError) {
    switch error {
    case .image(let error): self.init(error)
    case .capstone(let error):
      self = .missing("Capstone cannot be used: \(error.message) (Debian package: libcapstone4)")
    }
  }

  init(_ error: HarnessError) {
    switch error {
    case .input, .emulator: self = .input("\(error)")
    case .missing: self = .missing("\(error)")
    case .save: self.init(message: "\(error)", exitCode: 1)
    }
  }

  /// Writes the message to standard error.
  func report() {
    if !message.isEmpty { StandardError.write("xenograft: \(message)\n") }
  }
}
