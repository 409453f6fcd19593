// The machine that runs at the moment, for a signal to end: whatever way the command goes, QEMU
// and the folder of the run go first.

import Foundation
import Synchronization

/// What must not outlive the command.
public enum RunningMachine {
  private struct State {
    var isStarting = false
    var process: pid_t?
    var folder: String?
    var isEnding = false
  }

  private static let state = Mutex(State())

  /// Ends what runs; for the handler of an interruption, after which the command ends.
  public static func end() {
    // A process that is being started has no number yet.
    state.withLock { $0.isEnding = true }
    for _ in 0..<200 where state.withLock({ $0.isStarting }) {
      usleep(10_000)
    }
    state.withLock { state in
      if let process = state.process {
        kill(process, SIGKILL)
        // Who ends the command may look at once whether anything is left.
        for _ in 0..<200 where isAlive(process) { usleep(10_000) }
      }
      if let folder = state.folder { try? FileManager.default.removeItem(atPath: folder) }
      state.process = nil
      state.folder = nil
    }
  }

  /// Returns unless the command is being ended, and then never: its end is told by the handler.
  static func goOnUnlessEnding() async {
    while state.withLock({ $0.isEnding }) {
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// A process that is dead and not yet reaped does not count; its threads may outlive the first.
  private static func isAlive(_ process: pid_t) -> Bool {
    let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
    if let threads, threads.count > 1 { return true }
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let name = text.lastIndex(of: ")")
    else { return false }
    return !text[name...].hasPrefix(") Z") && !text[name...].hasPrefix(") X")
  }

  static func willStart() {
    state.withLock { $0.isStarting = true }
  }

  static func didStart(_ process: pid_t?) {
    state.withLock {
      $0.isStarting = false
      $0.process = process
    }
  }

  static func didEnd() {
    state.withLock { $0.process = nil }
  }

  static func willUse(folder: String) {
    state.withLock { $0.folder = folder }
  }

  static func didUseFolder() {
    state.withLock { $0.folder = nil }
  }
}
