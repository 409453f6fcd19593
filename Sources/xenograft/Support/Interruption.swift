// Ctrl-C, SIGTERM, SIGQUIT and the end of the terminal: end with 130 and leave no half-written file.

import Foundation
import Harness
import Synchronization

/// What to do when the user interrupts.
enum Interruption {
  private static let unfinished = Mutex<Set<String>>([])
  // SAFETY: written once by `arm`, before any other thread exists; kept only so that the sources live.
  private nonisolated(unsafe) static var sources: [any DispatchSourceSignal] = []

  /// Watches for the signals.
  ///
  /// A dispatch source and not a signal handler, since removing a file by a Swift string is nothing that a handler may do.
  static func arm() {
    // A reader of our output that goes away shows as an error of `write`.
    signal(SIGPIPE, SIG_IGN)
    // Images are mapped, not copied: one that another process cuts short meanwhile faults here. Only functions that a handler may call.
    signal(SIGBUS) { _ in
      let message: StaticString =
        "xenograft: expected a file that keeps its size while it is read, found one that was cut short\n"
      RawTerminal.leave()
      _ = Foundation.write(2, message.utf8Start, message.utf8CodeUnitCount)
      _exit(2)
    }
    for number in [SIGINT, SIGTERM, SIGQUIT, SIGHUP] {
      // Who was told to outlive its terminal, as by nohup, does.
      if number == SIGHUP, isIgnored(SIGHUP) { continue }
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        unfinished.withLock { paths in
          // Folders, too, which unlink refuses.
          for path in paths { try? FileManager.default.removeItem(atPath: path) }
        }
        RunningMachine.end()
        RawTerminal.leave()
        _exit(130)
      }
      source.resume()
      sources.append(source)
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
      == unsafeBitCast(SIG_IGN, to: UInt.self)
  }

  /// The file or folder at `path` exists from here on and is not whole.
  static func willWrite(_ path: String) {
    _ = unfinished.withLock { $0.insert(path) }
  }

  /// The file or folder at `path` is whole, or gone.
  static func didWrite(_ path: String) {
    _ = unfinished.withLock { $0.remove(path) }
  }
}
