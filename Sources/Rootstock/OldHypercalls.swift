// Calls of Xen before 3.0.3, which small kernels of those days still make, in terms of the later ones.
// tests: old-calls, shutdown-old-call.

import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// sched_op_compat: yields, blocks, or shuts down for a reason in place of a structure's address.
  mutating func scheduleByOldCall(_ arguments: HypercallArguments) -> HypercallResult {
    switch arguments.command(0) {
    case SCHEDOP_yield, SCHEDOP_block: return schedule(arguments)
    // The lowest byte counts: who passes an address all the same ends for a reason by chance.
    case SCHEDOP_shutdown: return shutDown(reason: UInt32(arguments[1] & 0xff))
    default: return .error(.noSuchCall)
    }
  }

  /// event_channel_op_compat: the operation's number stands before its structure.
  ///
  /// The number is read once: who changes it meanwhile gets the one that was read. What follows it is
  /// checked by the later call as that call's argument, so that an address near the end of the
  /// address space leads nowhere else.
  mutating func eventChannelByOldCall(_ arguments: inout HypercallArguments) -> HypercallResult {
    guard let number = GuestMemory.load32(from: arguments.address(0)) else {
      return .error(.fault)
    }
    switch Int32(truncatingIfNeeded: number) {
    case EVTCHNOP_bind_interdomain, EVTCHNOP_bind_virq, EVTCHNOP_bind_pirq, EVTCHNOP_close,
      EVTCHNOP_send, EVTCHNOP_status, EVTCHNOP_alloc_unbound, EVTCHNOP_bind_ipi,
      EVTCHNOP_bind_vcpu, EVTCHNOP_unmask:
      var later = HypercallArguments(UInt64(number), arguments[0] &+ 4)
      return eventChannelOperation(&later)
    default: return .error(.noSuchCall)
    }
  }
}
