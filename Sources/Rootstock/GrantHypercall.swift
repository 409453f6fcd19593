// grant_table_op: HypervisorCore's, under the core lock.

import HypervisorCore

extension GuestProcessor {
  mutating func grantTableOperation(_ arguments: inout HypercallArguments) -> HypercallResult {
    Lock.core.take()
    defer { Lock.core.release() }
    return Host.hypervisor.grantTableOperation(&arguments, from: caller)
  }
}
