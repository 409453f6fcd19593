// sched_op: yield, block and the end of the domain (abi/sched.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func schedule(
    _ arguments: HypercallArguments, _ frame: FramePointer
  ) -> HypercallResult {
    switch arguments.command(0) {
    case SCHEDOP_yield:
      return .value(0)
    case SCHEDOP_block:
      block()
      return .value(0)
    case SCHEDOP_shutdown:
      guard let request = GuestMemory.load(sched_shutdown(), from: arguments.address(1))
      else { return .error(.fault) }
      shutDown(request.reason)
    default:
      return .error(.noSuchCall)
    }
  }

  /// Sleeps until an event waits, with the mask clear.
  func block() {
    upcallMask = 0
    while shared.pointee.evtchn_upcall_pending == 0 { xg_sti_halt_cli() }
  }

  /// Ends the domain and, as there is one only, the run.
  private func shutDown(_ reason: UInt32) -> Never {
    let name: StaticString =
      switch Int32(truncatingIfNeeded: reason) {
      case SHUTDOWN_poweroff: "poweroff"
      case SHUTDOWN_reboot: "reboot"
      case SHUTDOWN_suspend: "suspend"
      case SHUTDOWN_crash: "crash"
      case SHUTDOWN_watchdog: "watchdog"
      case SHUTDOWN_soft_reset: "soft-reset"
      default: "unknown"
      }
    log(.info).text("shutdown: domain=").decimal(domain.pointee.id.rawValue).text(" reason=").text(
      name
    )
    .end()
    TrapRecord.report()
    Power.off(status: reason == 0 ? 0 : 1)
  }
}
