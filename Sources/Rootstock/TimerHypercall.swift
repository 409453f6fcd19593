// set_timer_op, and the timers of vcpu_op: abi/time.yaml, abi/vcpu.yaml.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// A deadline in nanoseconds of system time; 0 for none.
  mutating func setTimer(_ arguments: HypercallArguments) -> HypercallResult {
    setSingleShot(at: arguments[0] == 0 ? nil : Self.sensible(arguments[0]))
    return .value(0)
  }

  /// A kernel whose clock arithmetic wrapped means "soon" by a deadline that is negative or more than
  /// thirteen days off, and an older one means "never": Xen gives it a tenth of a second.
  private static func sensible(_ deadline: UInt64) -> UInt64 {
    let now = Host.clock.now
    let isNegative = Int64(bitPattern: deadline) < 0
    let isFar = deadline > now && (deadline - now) >> 50 != 0
    return isNegative || isFar ? now &+ 100_000_000 : deadline
  }

  /// Sets or ends the one-shot timer; one whose time has come is due at once.
  mutating func setSingleShot(at deadline: UInt64?) {
    let isDue = deadline.map { $0 <= Host.clock.now } ?? false
    changeTimers { $0.singleShot = isDue ? .max : deadline ?? .max }
    if isDue { raiseTimer() }
  }

  /// Sets the period of the ticks, in nanoseconds; 0 for none.
  ///
  /// They count while the vcpu runs, so one that does not gets its next tick when it does.
  mutating func setPeriod(_ period: UInt64) {
    let isHere = address == xg_this_cpu().pointee.vcpu
    changeTimers {
      $0.period = period
      $0.nextTick = period == 0 || !isHere ? .max : Host.clock.now &+ period
    }
  }

  /// Changes deadlines, and sets the hardware if it must fire earlier.
  mutating func changeTimers(_ change: (inout GuestTimers) -> Void) {
    let before = timers.earliest
    Lock.scheduler.take()
    change(&timers)
    if timers.earliest != before { Timers.arm(&self) }
    Lock.scheduler.release()
    Timers.program()
  }
}
