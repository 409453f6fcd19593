// Work that waits or computes for long goes to a thread of its own: the few threads that run tasks must
// stay free, or a boot's end would not be seen in time.

import Foundation

/// Runs `body` on another thread.
func offload<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: body()) }
  }
}
