// A domain's two watchdogs: abi/sched.yaml, SCHEDOP_watchdog.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Starts a watchdog (id 0), or feeds or ends the one with an id.
  func watchdog(_ argument: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    guard let request = GuestMemory.load(sched_watchdog(), from: argument) else { throw .fault }
    Lock.scheduler.take()
    defer { Lock.scheduler.release() }
    let now = Host.clock.now
    let deadline = now &+ UInt64(request.timeout) &* 1_000_000_000
    let place: Int
    if request.id == 0 {
      guard let free = (0..<2).first(where: { guest.pointee.watchdogs[$0] == 0 }) else {
        throw .noSpace
      }
      place = free
      guest.pointee.watchdogs[place] = deadline
    } else {
      place = Int(request.id) - 1
      guard place < 2, guest.pointee.watchdogs[place] != 0 else { throw .invalid }
      guest.pointee.watchdogs[place] = request.timeout == 0 ? 0 : deadline
    }
    Timers.arm(guest)
    // CPU 0 keeps watchdogs: it is made to look at its timer.
    if xg_this_cpu().pointee.index != 0 {
      Processors.interrupt(ProcessorSet(bits: 1), LocalAPIC.timerVector)
    } else {
      Work.request(Work.timer)
    }
    return request.id == 0 ? Int64(place + 1) : 0
  }
}

/// The end of a watchdog's patience.
enum Watchdog {
  /// A watchdog of the domain in a slot is over, unless it was fed meanwhile.
  static func expire(slot: Int, now: UInt64) {
    withCore {
      guard let domain = Host.hypervisor.domains[slot], domain.pointee.context != nil else {
        return
      }
      let guest = domain.pointee.guest
      Lock.scheduler.take()
      let isOver = (0..<2).contains {
        guest.pointee.watchdogs[$0] != 0 && guest.pointee.watchdogs[$0] <= now
      }
      if !isOver { Timers.arm(guest) }
      Lock.scheduler.release()
      if isOver { DomainEnd.beginLocked(guest, reason: UInt32(SHUTDOWN_watchdog)) }
    }
  }
}
