// The M2P table at the beginning of the hole, which every guest may read.

import CMachine
import HypervisorCore

/// The table from machine frames to their owners' frame numbers.
enum MachineToPhysical {
  // SAFETY: both are written once, before guests run.
  nonisolated(unsafe) private static var table = MachineFrame(0)
  nonisolated(unsafe) private(set) static var count: UInt64 = 0

  /// Makes the table, all of its entries empty, and maps it for guests to read.
  static func make() {
    count = Host.boot.endOfMemory >> 12
    let large: UInt64 = 2 << 20
    let size = (count * 8 + large - 1) & ~(large - 1)
    table = Host.allocator.take(Int(size >> 12), alignment: large, from: Host.boot)
    for offset in stride(from: 0, to: size, by: Int(large)) {
      let address = UInt64(XG_M2P_BASE) + offset
      let upper = HypervisorPages.table(
        for: address, level: 2,
        bits: EntryBits.present | EntryBits.writable | EntryBits.user)
      // Not global: user mode's table may leave it out (VMASST_TYPE_m2p_strict), and then the TLB
      // must not remember it from the kernel's.
      let bits = EntryBits.readOnlyData & ~EntryBits.global | EntryBits.user | EntryBits.large
      upper[Int(address >> 21) & 511] = (table.address.value + offset) | bits
    }
  }

  /// The same in words of 32 bits, as far as 32-bit guests have room for it.
  ///
  /// Their tables name its pages of 2 MiB: HypervisorCore's CompatTables.
  static func makeCompat() {
    let large: UInt64 = 2 << 20
    let size = (count * 4 + large - 1) & ~(large - 1)
    compatTable = Host.allocator.take(Int(size >> 12), alignment: large, from: Host.boot)
    compatPageCount = Int(size / large)
  }

  // SAFETY: as above.
  nonisolated(unsafe) private(set) static var compatTable = MachineFrame(0)
  nonisolated(unsafe) private(set) static var compatPageCount = 0

  /// The narrow table as the hypervisor writes it.
  static var compatWords: UnsafeMutablePointer<UInt32> {
    DirectMap.pointer(to: compatTable.address).assumingMemoryBound(to: UInt32.self)
  }

  /// The table as the hypervisor writes it.
  static var words: UnsafeMutablePointer<UInt64> { DirectMap.words(of: table) }
}
