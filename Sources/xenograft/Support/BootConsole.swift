// Where the pieces of the serial line go: the guest to standard output, the hypervisor to standard
// error, both to the log.

import Foundation
import Harness
import Synchronization

/// The outlets of one boot.
final class BootConsole: Sendable {
  private let log: Mutex<FileHandle?>
  private let path: String?
  private let printsGuest: Bool
  private let isVerbose: Bool

  /// Opens the log under a temporary name, where one is wanted.
  init(log path: String?, printsGuest: Bool, isVerbose: Bool) throws {
    self.path = path
    self.printsGuest = printsGuest
    self.isVerbose = isVerbose
    guard let path else {
      log = Mutex(nil)
      return
    }
    let partial = Self.partial(path)
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let handle = FileHandle(forWritingAtPath: partial)
    else {
      throw CommandFailure.input("\(path): expected a file that can be written")
    }
    Interruption.willWrite(partial)
    log = Mutex(handle)
  }

  /// Passes a piece on.
  func show(_ output: ConsoleOutput) {
    let bytes: [UInt8]
    switch output {
    case .guest(let text):
      bytes = text
      // A reader that has gone away does not end the guest's run.
      if printsGuest { try? StandardOutput.write(text) }
    case .hypervisor(let line):
      bytes = Array(line.utf8) + [0x0A]
      if isVerbose { StandardError.write(line + "\n") }
    }
    log.withLock { try? $0?.write(contentsOf: Data(bytes)) }
  }

  /// Gives the log its name.
  func end() {
    log.withLock { handle in
      guard let path, handle != nil else { return }
      try? handle?.close()
      handle = nil
      rename(Self.partial(path), path)
      Interruption.didWrite()
    }
  }

  private static func partial(_ path: String) -> String {
    "\(path).\(getpid()).partial"
  }
}
