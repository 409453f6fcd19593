// grant_table_op: HypervisorCore's. Copies, which networks live on, run beside others; the rest is alone.

import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func grantTableOperation(_ arguments: inout HypercallArguments) -> HypercallResult {
    let caller = caller
    guard arguments.command(0) == GNTTABOP_copy else {
      return withCore { Host.hypervisor.grantTableOperation(&arguments, from: caller) }
    }
    return withPartOrAll { Host.hypervisor.grantTableOperation(&arguments, from: caller) }
  }

  /// The same of a 32-bit guest.
  mutating func compatGrantTableOperation(
    _ arguments: inout HypercallArguments
  ) -> HypercallResult {
    let caller = caller
    guard arguments.command(0) == GNTTABOP_copy else {
      return withCore { Host.hypervisor.compatGrantTableOperation(&arguments, from: caller) }
    }
    return withPartOrAll { Host.hypervisor.compatGrantTableOperation(&arguments, from: caller) }
  }
}
