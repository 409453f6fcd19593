// What user mode of a 32-bit guest may reach. Its kernel is another ring, so the tables say whose a page
// is; what the hypervisor does in the stead of user mode must not reach further than that.

import X86

extension Hypervisor {
  /// The first address of a range that is mapped for the kernel alone; nil where there is none.
  ///
  /// What is not mapped at all is none of them: to touch it faults anyway. The range has a page's size
  /// at most.
  public func firstKernelAddress(
    in address: GuestVirtualAddress, byteCount: Int, under top: MachineFrame
  ) -> GuestVirtualAddress? {
    let last = GuestVirtualAddress(address.value &+ UInt64(max(byteCount, 1) - 1))
    if isKernels(address, under: top) { return address }
    guard last.value >> 12 != address.value >> 12, isKernels(last, under: top) else { return nil }
    return GuestVirtualAddress(last.value & ~0xfff)
  }

  private func isKernels(_ address: GuestVirtualAddress, under top: MachineFrame) -> Bool {
    guard frames[top].pointee.type == .level3, let place = leaf(for: address, under: top) else {
      return false
    }
    let leaf = PageTableEntry(rawValue: machine.words(of: place.table)[place.index])
    guard leaf.isPresent else { return false }
    let third = PageTableEntry(rawValue: machine.words(of: top)[address.index(level: 3)])
    let second = PageTableEntry(
      rawValue: machine.words(of: MachineFrame(third.frameNumber))[address.index(level: 2)])
    return !leaf.flags.contains(.user) || !second.flags.contains(.user)
  }
}
