// The hypervisor's locks but for the core's, which are in CoreLock.swift. Everything runs with interrupts
// off, so a lock is never taken by an interrupt's handler, and a CPU that waits serves TLB shootdowns
// meanwhile: their sender may be the one that holds the lock.

import CMachine

/// Locks of which there is one each, in the order in which one CPU may take several.
///
/// The order of all: the parts of the core lock by the numbers of CPUs, locks of domains by their places
/// in memory, `shootdown`, `scheduler`, `console`. Whoever holds the whole core lock takes no domain's,
/// as nobody else can have one.
enum Lock: UInt32 {
  /// The request that all CPUs look at: Shootdown.swift.
  case shootdown = 0
  /// The run queue, deadlines, states of vcpus.
  case scheduler = 1
  /// The serial port, for one line at a time.
  case console = 2

  /// Waits for the lock and takes it.
  @inline(__always) func take() { SpinLock(xg_lock_at(rawValue)).take() }

  /// Lets others have it.
  @inline(__always) func release() { SpinLock(xg_lock_at(rawValue)).release() }
}

/// A lock at a place in memory.
struct SpinLock {
  // SAFETY: a lock of CMachine's, of a CPU's block or of a domain's slot, none of which moves or goes.
  private let lock: UnsafeMutablePointer<xg_lock>

  @inline(__always) init(_ lock: UnsafeMutablePointer<xg_lock>) { self.lock = lock }

  /// Waits for the lock and takes it.
  @inline(__always) func take() {
    if xg_lock_starving(lock) != 0 || !xg_lock_try(lock) { wait() }
  }

  /// Lets others have it.
  @inline(__always) func release() { xg_lock_release(lock) }

  /// Looks until a CPU that has waited for long may go first.
  private static let patience: UInt32 = 4096

  /// Takes the lock when it is free.
  ///
  /// There is no queue: below a hypervisor or an emulator the CPU whose turn it is may not be running,
  /// and all others would wait for it, again at each release. One that waits for long asks to be let
  /// go first instead, and is waited for no longer than it takes to see that it does not come.
  @inline(never)
  private func wait() {
    let own = UInt32(truncatingIfNeeded: xg_this_cpu().pointee.index) + 1
    var looks = SpinWait()
    while true {
      let starving = xg_lock_starving(lock)
      if !xg_lock_is_held(lock), starving == 0 || starving == own || looks.count > Self.patience,
        xg_lock_try(lock)
      {
        // Whoever starves and is not there says so again.
        if starving != 0 { xg_lock_starve(lock, 0) }
        return
      }
      if looks.count == Self.patience / 2, starving == 0 { xg_lock_starve(lock, own) }
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
