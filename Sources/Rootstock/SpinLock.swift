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
    if xg_lock_starving(lock) != 0 || !xg_lock_try(lock) { Self.wait(lock) }
  }

  /// Lets others have it.
  @inline(__always) func release() { xg_lock_release(xg_lock_at(rawValue)) }

  /// Looks until a CPU that has waited for long may go first.
  private static let patience: UInt32 = 4096

  /// Takes the lock when it is free.
  ///
  /// There is no queue: below a hypervisor or an emulator the CPU whose turn it is may not be running,
  /// and all others would wait for it, again at each release. One that waits for long asks to be let
  /// go first instead, and is waited for no longer than it takes to see that it does not come.
  @inline(never)
  private static func wait(_ lock: UnsafeMutablePointer<xg_lock>) {
    let own = UInt32(truncatingIfNeeded: xg_this_cpu().pointee.index) + 1
    var looks = SpinWait()
    while true {
      let starving = xg_lock_starving(lock)
      if !xg_lock_is_held(lock), starving == 0 || starving == own || looks.count > patience,
        xg_lock_try(lock)
      {
        // Whoever starves and is not there says so again.
        if starving != 0 { xg_lock_starve(lock, 0) }
        return
      }
      if looks.count == patience / 2, starving == 0 { xg_lock_starve(lock, own) }
      Shootdown.serve()
      looks.rest()
    }
  }
}

/// How a CPU waits for another that will soon be done.
///
/// It looks many times before it rests: an emulator takes `pause` for a reason to leave its loop, which
/// costs it more than the time that a lock is usually held.
struct SpinWait {
  private static let looksBeforeRest: UInt32 = 1024
  private(set) var count: UInt32 = 0

  /// Called between two looks.
  @inline(__always) mutating func rest() {
    count &+= 1
    if count % Self.looksBeforeRest == 0 { xg_pause() }
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
