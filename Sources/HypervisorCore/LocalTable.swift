// The LDT of a vcpu: pages that the guest keeps in its own memory, looked up and validated when an
// entry is first used. The metal shows them to the processor in a window of the hole.

import X86

extension Hypervisor {
  /// Sets where the LDT lies; pages of the one before are given back.
  func setLocalTable(
    at address: GuestVirtualAddress, count: UInt32, _ caller: Caller
  ) throws(MemoryError) {
    guard count <= 8192, address.value & 0xfff == 0,
      count == 0 || isOwnRange(address, byteCount: UInt64(count) * 8, of: caller.domain)
    else { throw .refused(.invalid) }
    let vcpu = caller.vcpu.pointee
    // The table that is set already keeps its pages, as Xen has it.
    if vcpu.localTableBase == address, vcpu.localTableCount == count { return }
    // A page that is the domain's no longer is freed.
    if vcpu.localPages != 0 { try requireAll() }
    dropLocalPages(.max, of: caller.vcpu)
    caller.vcpu.pointee.localTableBase = address
    caller.vcpu.pointee.localTableCount = count
    caller.vcpu.pointee.isLocalTableStale = true
  }

  /// Takes the page of the LDT that holds an entry which the processor wants.
  ///
  /// The kernel's tables say which frame that is. Once it is taken it holds descriptors until it is
  /// dropped, as Xen has it by the next table alone, whatever the guest does to its mapping: nobody can
  /// write to it but by update_descriptor. A page that is mapped writable, or has a descriptor that a guest must not have,
  /// is refused.
  public func takeLocalPage(_ page: Int, for caller: Caller) throws(MemoryError) -> MachineFrame {
    let vcpu = caller.vcpu
    guard page >= 0, page < 16, UInt32(page) * 512 < vcpu.pointee.localTableCount,
      let address = vcpu.pointee.localTableBase.advanced(by: UInt64(page) << 12),
      let top = vcpu.pointee.kernelTable, let place = leaf(for: address, under: top)
    else { throw .refused(.fault) }
    if vcpu.pointee.localPages >> UInt16(page) & 1 != 0 { return vcpu.pointee.localFrames[page] }
    let entry = PageTableEntry(rawValue: machine.words(of: place.table)[place.index])
    guard entry.isPresent else { throw .refused(.fault) }
    let frame = MachineFrame(entry.frameNumber)
    try take(frame, as: .descriptors, ownedBy: caller.domain)
    vcpu.pointee.localFrames[page] = frame
    vcpu.pointee.localPages |= 1 << UInt16(page)
    return frame
  }

  /// Gives pages of the LDT back; bit n stands for page n.
  ///
  /// The vcpu must not run before the metal has taken them out of the window, which
  /// `isLocalTableStale` tells it.
  func dropLocalPages(_ pages: UInt16, of vcpu: UnsafeMutablePointer<VCPU>) {
    let dropped = vcpu.pointee.localPages & pages
    if dropped == 0 { return }
    for page in 0..<16 where dropped >> UInt16(page) & 1 != 0 {
      drop(vcpu.pointee.localFrames[page])
    }
    vcpu.pointee.localPages &= ~dropped
    vcpu.pointee.isLocalTableStale = true
  }
}
