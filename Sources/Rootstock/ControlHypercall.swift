// The control interface, for domain 0: HypervisorCore's, under the core lock.

import HypervisorCore

extension GuestProcessor {
  func control(_ arguments: HypercallArguments) -> HypercallResult {
    answer { () throws(HypercallError) in
      try withCore { () throws(HypercallError) in
        try Host.hypervisor.control(arguments.command(0), arguments.address(1), from: caller)
      }
    }
  }
}
