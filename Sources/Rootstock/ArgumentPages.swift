// A page for each CPU in which arguments of 32-bit guests stand in the 64-bit form while a hypercall is
// carried out. It lies in the lower half of the address space, where handlers look for guests' memory,
// and above 4 GiB, where a 32-bit guest has no address; only monitor tables lead there.

import CMachine
import HypervisorCore

/// The pages for arguments.
enum ArgumentPages {
  // SAFETY: written once, before guests run.
  /// The entry of a monitor table that leads to all of them.
  nonisolated(unsafe) private(set) static var entry: UInt64 = 0

  /// Makes a page for each CPU, and the tables above them.
  static func make() {
    let tables = (Host.takeFrame(), Host.takeFrame(), Host.takeFrame())
    let bits = EntryBits.present | EntryBits.writable
    DirectMap.words(of: tables.0)[0] = tables.1.address.value | bits
    DirectMap.words(of: tables.1)[0] = tables.2.address.value | bits
    let pages = DirectMap.words(of: tables.2)
    for index in 0..<Processors.count {
      pages[index] = Host.takeFrame().address.value | bits | EntryBits.noExecute
    }
    entry = tables.0.address.value | bits
  }

  /// The page of this CPU.
  static var address: GuestVirtualAddress {
    GuestVirtualAddress(UInt64(XG_ARGUMENT_BASE) + xg_this_cpu().pointee.index << 12)
  }
}
