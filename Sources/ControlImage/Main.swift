// Domain 0 for use.

import ControlDomain

/// Called by Start.S on the guest's own stack.
@c(guest_main)
func main(startInfo: UInt64) { runControlDomain(startInfo: startInfo) { Interposer() } }
