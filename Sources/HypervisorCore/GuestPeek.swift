// A guest's memory read from outside, through tables that are not in force: for reports on vcpus that
// do not run.

import X86

extension Hypervisor {
  /// The word at an address under a top-level table; nil where there is none.
  ///
  /// The guest chose address and tables: what is followed are validated tables to frames of RAM, and
  /// what is read is only shown.
  public func peek(_ address: GuestVirtualAddress, under top: MachineFrame) -> UInt64? {
    guard address.value % 8 == 0, let (table, index) = leaf(for: address, under: top) else {
      return nil
    }
    let entry = PageTableEntry(rawValue: machine.words(of: table)[index])
    let frame = MachineFrame(entry.frameNumber)
    guard entry.isPresent, frames.isMemory(frame) else { return nil }
    return machine.words(of: frame)[Int(address.value & 0xfff) / 8]
  }
}
