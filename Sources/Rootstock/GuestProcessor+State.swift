// What the scheduler is told of a vcpu, and what a vcpu is told when it runs again.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// What it is to be when it does not run; the scheduler lock is held.
  ///
  /// An event that came since it asked to sleep is seen here: its sender sets the bit first and then
  /// takes the lock. Whoever wakes it takes `wantsSleep` back, which is all that ends a poll.
  mutating func wantedState() -> RunState {
    if !core.pointee.isUp || domain.pointee.isPaused || guest.pointee.ending != nil {
      return .offline
    }
    guard wantsSleep else { return .runnable }
    if isNMIDue { return .runnable }
    return !isPolling && shared.pointee.evtchn_upcall_pending != 0 ? .runnable : .blocked
  }

  /// Called when it runs again, with its page tables loaded.
  mutating func resume(now: UInt64) {
    endSleep()
    publishRunstate(now: now)
    tick(now: now)
  }

  /// It has slept, or need not.
  mutating func endSleep() {
    wantsSleep = false
    guard isPolling else { return }
    isPolling = false
    CoreLock.takeAll()
    Host.hypervisor.endPoll(of: core, in: domain)
    CoreLock.releaseAll()
    if timers.poll != .max { changeTimers { $0.poll = .max } }
  }

  /// Tells what could not be told in user mode.
  mutating func publishStaleRunstate() {
    if isRunstateStale { publishRunstate(now: Host.clock.now) }
  }

  /// Writes its run state where the guest has asked for it.
  ///
  /// The address is the guest's, in its own address space: what is not mapped is not told.
  mutating func publishRunstate(now: UInt64) {
    guard runstateArea != 0 else { return }
    // The kernel's memory is not mapped in user mode: it is told on the way there.
    isRunstateStale = !isKernelMode
    guard isKernelMode else { return }
    Runstate.write(of: &self, to: GuestVirtualAddress(runstateArea))
  }
}
