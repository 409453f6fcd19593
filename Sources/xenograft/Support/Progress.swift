// A line on the terminal while work goes on, only where somebody looks, and only after a second.

import Foundation
import Synchronization

/// Tells which image is being read.
final class Progress: Sendable {
  private struct State {
    var started = Date()
    var current = ""
    var done = 0
    var isShown = false
  }

  private let state = Mutex(State())
  private let total: Int
  // SAFETY: dispatch sources may be used from any thread; this one is set once, in `init`.
  private nonisolated(unsafe) let timer: (any DispatchSourceTimer)?

  /// Progress over `total` images.
  init(total: Int) {
    self.total = total
    guard StandardError.isTerminal else {
      timer = nil
      return
    }
    let timer = DispatchSource.makeTimerSource(queue: .global())
    self.timer = timer
    timer.schedule(deadline: .now() + 1, repeating: 0.5)
    timer.setEventHandler { [weak self] in self?.show() }
    timer.resume()
  }

  /// Work on `path` begins.
  func begin(_ path: String) {
    state.withLock {
      if !$0.current.isEmpty { $0.done += 1 }
      $0.current = path
    }
  }

  /// The work that was begun is at this point.
  func note(_ text: String) {
    state.withLock { $0.current = text }
  }

  /// All work is done: takes the line away.
  func end() {
    timer?.cancel()
    let isShown = state.withLock { state in
      defer { state.isShown = false }
      return state.isShown
    }
    if isShown { StandardError.write("\r\u{1B}[K") }
  }

  private func show() {
    let text = state.withLock { state in
      state.isShown = true
      let seconds = Int(Date().timeIntervalSince(state.started))
      return "\r\u{1B}[K[\(state.done + 1)/\(total)] \(state.current) \(seconds) s"
    }
    StandardError.write(text)
  }
}
