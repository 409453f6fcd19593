// How a domain ends: its vcpus run no more, what it did is printed, and the reaper takes it apart.

import CMachine
import CXenABI
import HypervisorCore

/// The end of domains, and of the machine's run.
enum DomainEnd {
  /// Ends a domain for a reason of the ABI's; the first reason counts.
  ///
  /// No lock is held. The caller's own vcpu, if it is the domain's, stops on its way out.
  static func begin(_ guest: GuestDomainPointer, reason: UInt32) {
    withCore { beginLocked(guest, reason: reason) }
  }

  /// Likewise, with the core lock held, under which a domain that somebody names stays there.
  static func beginLocked(_ guest: GuestDomainPointer, reason: UInt32) {
    Lock.scheduler.take()
    guard guest.pointee.ending == nil else {
      Lock.scheduler.release()
      return
    }
    let reason = guest.pointee.announcedEnding ?? reason
    guest.pointee.ending = reason
    guest.pointee.domain.pointee.endReason = reason
    guest.pointee.watchdogs = InlineArray(repeating: 0)
    Timers.arm(guest)
    let domain = guest.pointee.domain
    var running = ProcessorSet.none
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index].pointee.guest
      vcpu.pointee.timers = GuestTimers(queue: vcpu.pointee.timers.queue)
      Timers.arm(vcpu)
      if let processor = Switch.scheduler?.processor(of: vcpu.pointee.slot) {
        running.insert(processor)
      } else {
        Switch.scheduler?.park(vcpu.pointee.slot, as: .offline, now: Host.clock.now)
      }
    }
    Lock.scheduler.release()
    let here = ProcessorID(UInt8(truncatingIfNeeded: xg_this_cpu().pointee.index))
    running.remove(here)
    Work.request(Work.schedule)
    Processors.interrupt(running, LocalAPIC.scheduleVector)
    report(guest, reason)
    Reaper.expect(domain, reason: reason)
    if domain.pointee.id != .control { Host.hypervisor.noteEnd(to: .control) }
  }

  /// Ends a domain that was not built to its end; the core lock is held.
  static func abandon(_ domain: DomainPointer) {
    let reason = UInt32(SHUTDOWN_crash)
    domain.pointee.guest.pointee.ending = reason
    domain.pointee.endReason = reason
    Reaper.expect(domain, reason: reason)
    Work.request(Work.schedule)
  }

  private static func report(_ guest: GuestDomainPointer, _ reason: UInt32) {
    let id = guest.pointee.domain.pointee.id
    Lock.console.take()
    guest.pointee.line.finish(id.rawValue)
    Lock.console.release()
    guest.pointee.record.pointee.report(domain: id)
    let balance = Host.hypervisor.grantBalance(of: guest.pointee.domain)
    log(.info).text("grants: domain=").decimal(id.rawValue).text(" granted=")
      .decimal(balance.granted).text(" used=").decimal(balance.used).text(" mapped=")
      .decimal(balance.mapped).text(" first=").decimal(balance.first ?? 0)
      .text(" page=").hex(address(of: balance.firstFrame, guest)).text(" torn=")
      .decimal(balance.torn).text(" torn-page=").hex(address(of: balance.tornFrame, guest)).end()
    log(.info).text("ran: domain=").decimal(id.rawValue).text(" nanoseconds=")
      .decimal(runningTime(of: guest.pointee.domain)).end()
    log(.info).text("shutdown: domain=").decimal(id.rawValue).text(" reason=").text(name(reason))
      .end()
  }

  /// Where the guest's first vcpu sees a frame of its own; 0 for nowhere.
  private static func address(of frame: MachineFrame?, _ guest: GuestDomainPointer) -> UInt64 {
    let vcpu = guest.pointee.domain.pointee.vcpus[0]
    guard let frame, let top = vcpu.pointee.kernelTable else { return 0 }
    return Host.hypervisor.address(of: frame, under: top)?.value ?? 0
  }

  /// How long its vcpus have run, all together; what the hypervisor did for it meanwhile counts.
  private static func runningTime(of domain: DomainPointer) -> UInt64 {
    Lock.scheduler.take()
    defer { Lock.scheduler.release() }
    let now = Host.clock.now
    var sum: UInt64 = 0
    for index in 0..<domain.pointee.vcpuCount {
      let info = Runstate.info(
        of: domain.pointee.vcpus[index].pointee.guest.pointee.slot, now: now)
      sum &+= info.time.0
    }
    return sum
  }

  private static func name(_ reason: UInt32) -> StaticString {
    switch Int32(truncatingIfNeeded: reason) {
    case SHUTDOWN_poweroff: "poweroff"
    case SHUTDOWN_reboot: "reboot"
    case SHUTDOWN_suspend: "suspend"
    case SHUTDOWN_crash: "crash"
    case SHUTDOWN_watchdog: "watchdog"
    case SHUTDOWN_soft_reset: "soft-reset"
    default: "unknown"
    }
  }
}
