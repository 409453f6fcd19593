// What runs at the moment, for a signal to end: whatever way the command goes, emulators, commands that
// it started and the folders of runs go first.

import Foundation
import Synchronization

/// What must not outlive the command.
public enum RunningMachine {
  private struct State {
    /// Processes that are being started have no number yet.
    var starting = 0
    /// Numbers of processes; those of whole groups are negative.
    var processes: Set<Int32> = []
    var folders: Set<String> = []
    var isEnding = false
  }

  private static let state = Mutex(State())

  /// Ends what runs; for the handler of an interruption, after which the command ends.
  public static func end() {
    state.withLock { $0.isEnding = true }
    for _ in 0..<200 where state.withLock({ $0.starting > 0 }) {
      usleep(10_000)
    }
    state.withLock { state in
      for process in state.processes { kill(process, SIGKILL) }
      // Who ends the command may look at once whether anything is left.
      for process in state.processes {
        for _ in 0..<200 where isAlive(abs(process)) { usleep(10_000) }
      }
      for folder in state.folders { try? FileManager.default.removeItem(atPath: folder) }
      state.processes = []
      state.folders = []
    }
  }

  /// Returns unless the command is being ended, and then never: its end is told by the handler.
  package static func goOnUnlessEnding() async {
    while state.withLock({ $0.isEnding }) {
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// A process that is dead and not yet reaped does not count; its threads may outlive the first.
  private static func isAlive(_ process: Int32) -> Bool {
    let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
    if let threads, threads.count > 1 { return true }
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let name = text.lastIndex(of: ")")
    else { return false }
    return !text[name...].hasPrefix(") Z") && !text[name...].hasPrefix(") X")
  }

  /// A process is about to be started.
  package static func willStart() {
    state.withLock { $0.starting += 1 }
  }

  /// It was started with this number, negative for that of a group, or could not be.
  package static func didStart(_ process: Int32?) {
    state.withLock {
      $0.starting -= 1
      if let process { $0.processes.insert(process) }
    }
  }

  /// It has ended.
  package static func didEnd(_ process: Int32) {
    state.withLock { _ = $0.processes.remove(process) }
  }

  /// A folder exists that is to go with the command.
  package static func willUse(folder: String) {
    state.withLock { _ = $0.folders.insert(folder) }
  }

  /// It is gone.
  package static func didUse(folder: String) {
    state.withLock { _ = $0.folders.remove(folder) }
  }
}
