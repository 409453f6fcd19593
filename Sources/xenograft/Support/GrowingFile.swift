// A file that is written while something runs: under a temporary name, until it is whole.

import Foundation
import Synchronization

/// Takes bytes as they come, from any thread.
final class GrowingFile: Sendable {
  private struct State {
    var handle: FileHandle?
    /// The first write that failed; the file is given up then.
    var failure: CommandFailure?
  }

  private let state: Mutex<State>
  private let path: String
  private let partial: String
  /// It is a device or a pipe, which is written to as it is.
  private let isSpecial: Bool

  /// Opens the file that becomes `path`.
  init(path: String) throws {
    self.path = path
    isSpecial = OutputFile.isSpecial(path)
    partial = isSpecial ? path : "\(path).\(getpid()).partial"
    try OutputFile.check(path)
    guard isSpecial || FileManager.default.createFile(atPath: partial, contents: nil),
      let opened = FileHandle(forWritingAtPath: partial)
    else { throw OutputFile.failure(path) }
    if !isSpecial { Interruption.willWrite(partial) }
    state = Mutex(State(handle: opened))
  }

  deinit {
    // What never got its name was given up.
    state.withLock { state in
      guard state.handle != nil, !isSpecial else { return }
      unlink(partial)
      Interruption.didWrite(partial)
    }
  }

  func write(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.failure == nil else { return }
      do {
        try state.handle?.write(contentsOf: Data(bytes))
      } catch {
        state.failure = OutputFile.failure(path)
      }
    }
  }

  /// Gives the file its name, or throws and leaves nothing where it could not be written whole.
  func end() throws {
    try state.withLock { state in
      guard state.handle != nil else { return }
      try? state.handle?.close()
      state.handle = nil
      if isSpecial {
        if let failure = state.failure { throw failure }
        return
      }
      defer { Interruption.didWrite(partial) }
      if state.failure == nil, rename(partial, path) != 0 {
        state.failure = OutputFile.failure(path)
      }
      guard let failure = state.failure else { return }
      unlink(partial)
      throw failure
    }
  }
}
