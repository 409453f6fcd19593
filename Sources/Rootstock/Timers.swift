// Deadlines: what vcpus and watchdogs wait for, and the one hardware timer of each CPU. A vcpu's
// deadline is kept by the CPU on which it was set, and the timer is set for the earliest of that CPU's
// deadlines, its scheduler's next decision and the running vcpu's next tick.

import CMachine
import CXenABI
import HypervisorCore

/// The times that a vcpu waits for; `UInt64.max` where there is none.
struct GuestTimers: BitwiseCopyable {
  /// set_timer_op and VCPUOP_set_singleshot_timer: one timer, as in Xen.
  var singleShot = UInt64.max
  var poll = UInt64.max
  /// The period of the ticks that come while the vcpu runs; 0 for none.
  var period: UInt64 = 10_000_000
  var nextTick = UInt64.max
  /// The CPU whose queue has its deadline; -1 for none.
  var queue: Int16 = -1

  var earliest: UInt64 { min(singleShot, poll) }
}

/// The queues, one for each CPU, under the scheduler lock.
enum Timers {
  // SAFETY: as many queues as CPUs, made by Memory.swift before vcpus run; under the scheduler lock.
  nonisolated(unsafe) private static var queues = UnsafeMutablePointer<TimerQueue>(
    bitPattern: 8
  ).unsafelyUnwrapped
  nonisolated(unsafe) private static var vcpuCapacity = 0

  static func start(queues: UnsafeMutablePointer<TimerQueue>, vcpuCapacity: Int) {
    self.queues = queues
    self.vcpuCapacity = vcpuCapacity
  }

  private static var here: Int { Int(truncatingIfNeeded: xg_this_cpu().pointee.index) }

  /// Puts a vcpu's earliest deadline into this CPU's queue, in place of any other.
  ///
  /// The scheduler lock is held.
  static func arm(_ vcpu: UnsafeMutablePointer<GuestProcessor>) {
    let deadline = vcpu.pointee.timers.earliest
    let queue = Int(vcpu.pointee.timers.queue)
    if queue >= 0 && (queue != here || deadline == .max) {
      queues[queue].remove(vcpu.pointee.slot.index)
      vcpu.pointee.timers.queue = -1
    }
    guard deadline != .max else { return }
    queues[here].set(vcpu.pointee.slot.index, at: deadline)
    vcpu.pointee.timers.queue = Int16(truncatingIfNeeded: here)
  }

  /// Puts the earliest deadline of a domain's watchdogs into CPU 0's queue.
  ///
  /// The scheduler lock is held.
  static func arm(_ guest: GuestDomainPointer) {
    let first = guest.pointee.watchdogs[0]
    let second = guest.pointee.watchdogs[1]
    let deadline = first == 0 ? second : second == 0 ? first : min(first, second)
    let number = vcpuCapacity + Memory.slot(of: guest.pointee.domain)
    if deadline == 0 {
      queues[0].remove(number)
    } else {
      queues[0].set(number, at: deadline)
    }
  }

  /// Deals with every deadline of this CPU that is reached.
  static func expire() {
    let now = Host.clock.now
    let cpu = xg_this_cpu()
    while true {
      Lock.scheduler.take()
      let number = queues[here].popExpired(at: now)
      let vcpu = number.flatMap { $0 < vcpuCapacity ? Switch.vcpu($0) : nil }
      let isDue = vcpu.map { expireLocked($0, now: now) } ?? false
      Lock.scheduler.release()
      guard let number else { break }
      if number >= vcpuCapacity {
        Watchdog.expire(slot: number - vcpuCapacity, now: now)
      } else if let vcpu, isDue {
        raise(vcpu, number)
      }
    }
    if cpu.pointee.vcpu != 0 { GuestProcessor.current.pointee.tick(now: now) }
    Reaper.retry(now: now)
    if now >= cpu.pointee.slice_end { Work.request(Work.schedule) }
  }

  /// Raises the timer interrupt of a vcpu, unless its domain was taken apart meanwhile, which is done
  /// under the whole core lock.
  private static func raise(_ vcpu: GuestProcessorPointer, _ number: Int) {
    withPart {
      guard Switch.vcpu(number) == vcpu, vcpu.pointee.guest.pointee.ending == nil else { return }
      Host.hypervisor.raise(
        interrupt: UInt32(VIRQ_TIMER), vcpu: vcpu.pointee.core, of: vcpu.pointee.domain)
    }
  }

  /// Takes the deadlines that are over; answers whether the timer is due.
  private static func expireLocked(_ vcpu: GuestProcessorPointer, now: UInt64) -> Bool {
    vcpu.pointee.timers.queue = -1
    var isDue = false
    if vcpu.pointee.timers.singleShot <= now {
      vcpu.pointee.timers.singleShot = .max
      isDue = true
    }
    if vcpu.pointee.timers.poll <= now {
      vcpu.pointee.timers.poll = .max
      Switch.deliver(Switch.kickLocked(vcpu))
    }
    arm(vcpu)
    return isDue
  }

  /// Sets the hardware for what comes next on this CPU.
  ///
  /// A timer that is set for something that no longer counts is left: it finds nothing to do.
  static func program() {
    let cpu = xg_this_cpu()
    var next = min(queues[here].earliest, cpu.pointee.slice_end)
    if cpu.pointee.vcpu != 0 { next = min(next, GuestProcessor.current.pointee.timers.nextTick) }
    if Reaper.isNeeded { next = min(next, Host.clock.now &+ Reaper.interval) }
    next = min(next, min(Reaper.retryTime, Whereabouts.due))
    guard next < cpu.pointee.deadline else { return }
    cpu.pointee.deadline = next
    LocalAPIC.startOneShot(Host.clock.apicTicks(until: next))
  }
}

extension GuestProcessor {
  /// The virtual timer interrupt.
  ///
  /// Mutating, and without the vcpu in what is called under the lock: it would be copied.
  mutating func raiseTimer() {
    let core = core
    let domain = domain
    withPart { Host.hypervisor.raise(interrupt: UInt32(VIRQ_TIMER), vcpu: core, of: domain) }
  }

  /// The periodic timer, which counts while the vcpu runs: one tick for all that are due.
  mutating func tick(now: UInt64) {
    guard timers.period != 0 else { return }
    if timers.nextTick == .max {
      timers.nextTick = now &+ timers.period
    } else if now >= timers.nextTick {
      raiseTimer()
      let missed = (now &- timers.nextTick) / timers.period
      timers.nextTick &+= (missed &+ 1) &* timers.period
    }
  }
}
