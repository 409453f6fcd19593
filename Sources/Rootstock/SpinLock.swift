// The hypervisor's locks. Everything runs with interrupts off, so a lock is never taken by an
// interrupt's handler, and a CPU that waits serves TLB shootdowns meanwhile: their sender may be the
// one that holds the lock.

import CMachine

/// The locks, in the order in which one CPU may take several.
enum Lock: UInt32 {
  /// Frames, page tables, domains, ports: all that HypervisorCore keeps.
  case core = 0
  /// The run queue, deadlines, states of vcpus.
  case scheduler = 1
  /// The serial port, for one line at a time.
  case console = 2

  /// Waits for the lock and takes it.
  @inline(__always) func take() {
    let lock = xg_lock_at(rawValue)
    let ticket = xg_lock_ticket(lock)
    if xg_lock_serving(lock) != ticket { Self.wait(lock, ticket) }
  }

  /// Gives it to the next that waits.
  @inline(__always) func release() { xg_lock_release(xg_lock_at(rawValue)) }

  @inline(never)
  private static func wait(_ lock: UnsafeMutablePointer<xg_lock>, _ ticket: UInt32) {
    while xg_lock_serving(lock) != ticket {
      Shootdown.serve()
      xg_pause()
    }
  }
}

/// Does something under the core lock.
@inline(__always)
func withCore<Result>(_ body: () -> Result) -> Result {
  Lock.core.take()
  defer { Lock.core.release() }
  return body()
}

/// Does something under the core lock that may be refused.
@inline(__always)
func withCore<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  Lock.core.take()
  defer { Lock.core.release() }
  return try body()
}
