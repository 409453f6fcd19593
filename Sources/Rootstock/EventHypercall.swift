// event_channel_op: HypervisorCore's, under the core lock.

import HypervisorCore

extension GuestProcessor {
  func eventChannelOperation(_ arguments: inout HypercallArguments) -> HypercallResult {
    Lock.core.take()
    defer { Lock.core.release() }
    return Host.hypervisor.eventChannelOperation(&arguments, from: caller)
  }
}
