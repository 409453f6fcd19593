// Where the pieces of the serial line go: the guests to standard output, the hypervisor to standard
// error, both to the log; and events to their file.

import Harness

/// The outlets of one boot.
final class BootConsole: Sendable {
  private let log: GrowingFile?
  private let events: GrowingFile?
  private let printsGuest: Bool
  private let isVerbose: Bool

  /// Opens the files that are wanted.
  init(log: String?, events: String?, printsGuest: Bool, isVerbose: Bool) throws {
    self.log = try log.map(GrowingFile.init)
    self.events = try events.map(GrowingFile.init)
    self.printsGuest = printsGuest
    self.isVerbose = isVerbose
  }

  /// Passes a piece on.
  func show(_ output: ConsoleOutput) {
    switch output {
    case .guest(let text):
      // A reader that has gone away does not end the guest's run.
      if printsGuest { try? StandardOutput.write(text) }
      log?.write(text)
    case .hypervisor(let line):
      if isVerbose { StandardError.write(line + "\n") }
      log?.write(Array(line.utf8) + [0x0A])
    case .event(let event):
      events?.write(event.json())
    }
  }

  /// Gives the files their names.
  func end() throws {
    try log?.end()
    try events?.end()
  }
}
