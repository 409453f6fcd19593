// Work on a thread of its own whose outcome is asked for later.

import Dispatch
import Synchronization

/// A computation that runs beside the caller's.
final class BackgroundTask<Value: Sendable, Failure: Error>: Sendable {
  private let outcome = Mutex<Result<Value, Failure>?>(nil)
  private let done = DispatchGroup()

  /// Starts `work`.
  init(_ work: @escaping @Sendable () throws(Failure) -> Value) {
    DispatchQueue.global().async(group: done) { [outcome = self] in
      let result: Result<Value, Failure>
      do throws(Failure) {
        result = .success(try work())
      } catch {
        result = .failure(error)
      }
      outcome.store(result)
    }
  }

  private func store(_ result: Result<Value, Failure>) {
    outcome.withLock { $0 = result }
  }

  /// Waits for the end, whatever it is.
  func finish() {
    done.wait()
  }

  /// Waits for the end and gives the value, or throws as the work did.
  func value() throws(Failure) -> Value {
    finish()
    // The group is left only after `store`.
    guard let result = outcome.withLock({ $0 }) else { preconditionFailure("no outcome stored") }
    return try result.get()
  }
}
