// Domain 0 for tests of guests: the same services, with the faults that the command line names
// (`fault=`, ControlFaults) between them and the guests.

import ControlDomain

/// Called by Start.S on the guest's own stack.
@c(guest_main)
func main(startInfo: UInt64) { runControlDomain(startInfo: startInfo) { FaultInterposer() } }
