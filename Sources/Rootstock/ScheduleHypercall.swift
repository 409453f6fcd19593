// sched_op: yield, block, poll and the end of the domain (abi/sched.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func schedule(_ arguments: HypercallArguments) -> HypercallResult {
    let argument = arguments.address(1)
    switch arguments.command(0) {
    case SCHEDOP_yield:
      yield()
      return .value(0)
    case SCHEDOP_block:
      block()
      return .value(0)
    case SCHEDOP_poll: return answer { () throws(HypercallError) in try poll(argument) }
    case SCHEDOP_shutdown:
      guard let request = GuestMemory.load(sched_shutdown(), from: argument) else {
        return .error(.fault)
      }
      return shutDown(reason: request.reason)
    case SCHEDOP_shutdown_code:
      guard let request = GuestMemory.load(sched_shutdown(), from: argument) else {
        return .error(.fault)
      }
      if guest.pointee.announcedEnding == nil { guest.pointee.announcedEnding = request.reason }
      return .value(0)
    case SCHEDOP_watchdog:
      return answer { () throws(HypercallError) in try watchdog(argument) }
    case SCHEDOP_remote_shutdown:
      return answer { () throws(HypercallError) in try shutDownOther(argument) }
    default:
      return .error(.noSuchCall)
    }
  }

  mutating func shutDown(reason: UInt32) -> HypercallResult {
    // What a domain that goes on finds as the answer is written then.
    let isKept =
      reason == UInt32(SHUTDOWN_suspend) && withCore { Host.hypervisor.suspend(caller) }
    if !isKept { DomainEnd.begin(guest, reason: reason) }
    return .value(0)
  }

  private mutating func yield() {
    Lock.scheduler.take()
    Switch.scheduler?.yield(
      on: ProcessorID(UInt8(truncatingIfNeeded: xg_this_cpu().pointee.index)),
      now: Host.clock.now)
    Lock.scheduler.release()
    Work.request(Work.schedule)
  }

  /// Sleeps until an event waits, with the mask clear.
  mutating func block() {
    upcallMask = 0
    guard shared.pointee.evtchn_upcall_pending == 0 else { return }
    wantsSleep = true
    isPolling = false
    Work.request(Work.schedule)
  }

  /// Sleeps until a port of a list is pending, or a time is reached.
  ///
  /// Sleep is wanted before the ports are looked at: who sends an event in between takes the wish
  /// back.
  private mutating func poll(_ argument: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    wantsSleep = true
    isPolling = true
    var decision = PollDecision.ready
    defer { if decision == .ready { endSleep() } }
    decision = try withCore { () throws(HypercallError) in
      try Host.hypervisor.beginPoll(argument, from: caller)
    }
    guard case .sleep(let until) = decision else { return 0 }
    if let until { changeTimers { $0.poll = until } }
    Work.request(Work.schedule)
    return 0
  }

  /// Ends another domain: for a privileged domain.
  private func shutDownOther(_ argument: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    guard let request = GuestMemory.load(sched_remote_shutdown(), from: argument) else {
      throw .fault
    }
    CoreLock.takeAll()
    defer { CoreLock.releaseAll() }
    guard let other = Host.hypervisor.domains.find(DomainID(request.domain_id)),
      !other.pointee.isDying
    else { throw .noDomain }
    guard domain.pointee.isPrivileged, other != domain else { throw .notPermitted }
    DomainEnd.beginLocked(other.pointee.guest, reason: request.reason)
    return 0
  }
}
