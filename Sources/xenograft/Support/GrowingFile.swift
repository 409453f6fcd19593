// A file that is written while something runs: under a temporary name, until it is whole.

import Foundation
import Synchronization

/// Takes bytes as they come, from any thread.
final class GrowingFile: Sendable {
  private let handle: Mutex<FileHandle?>
  private let path: String
  private let partial: String

  /// Opens the file that becomes `path`.
  init(path: String) throws {
    self.path = path
    partial = "\(path).\(getpid()).partial"
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let opened = FileHandle(forWritingAtPath: partial)
    else {
      throw CommandFailure.input("\(path): expected a file that can be written")
    }
    Interruption.willWrite(partial)
    handle = Mutex(opened)
  }

  deinit {
    // What never got its name was given up.
    handle.withLock { handle in
      guard handle != nil else { return }
      unlink(partial)
      Interruption.didWrite(partial)
    }
  }

  func write(_ bytes: [UInt8]) {
    handle.withLock { try? $0?.write(contentsOf: Data(bytes)) }
  }

  /// Gives the file its name.
  func end() {
    handle.withLock { handle in
      guard handle != nil else { return }
      try? handle?.close()
      handle = nil
      rename(partial, path)
      Interruption.didWrite(partial)
    }
  }
}
