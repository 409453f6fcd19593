// Writable page tables: a guest kernel stores to a last-level table that it has mapped read-only, the
// processor faults, the metal decodes the instruction, and the store is carried out here as an update.

import X86

extension Hypervisor {
  /// Carries out a store of 1 to 8 bytes to a last-level table, or a compare-and-exchange.
  ///
  /// `value` holds the bytes in its low end. With `expected` the store happens only where memory holds
  /// these bytes. Answers the bytes found. A refusal means that the fault is the guest's: the metal
  /// delivers it. The address must be mapped read-only, and the store must not leave its entry.
  public func emulateTableWrite(
    at address: GuestVirtualAddress, value: UInt64, byteCount: Int, expected: UInt64? = nil,
    from caller: Caller
  ) throws(MemoryError) -> UInt64 {
    let shift = UInt64(address.value & 7) * 8
    guard byteCount >= 1, byteCount <= 8, Int(address.value & 7) + byteCount <= 8,
      let top = caller.vcpu.pointee.kernelTable, let mapping = leaf(for: address, under: top)
    else { throw .refused(.invalid) }
    let mapped = PageTableEntry(rawValue: machine.words(of: mapping.table)[mapping.index])
    let table = MachineFrame(mapped.frameNumber)
    guard mapped.isPresent, !mapped.isWritable, frames.isMemory(table) else {
      throw .refused(.invalid)
    }
    let record = frames[table]
    guard record.pointee.owner == caller.domain.pointee.id, record.pointee.type == .level1,
      record.pointee.typeUses > 0
    else { throw .refused(.invalid) }
    let index = Int(address.value & 0xfff) >> 3
    let mask: UInt64 = byteCount == 8 ? ~0 : (1 << UInt64(byteCount * 8)) - 1
    let old = machine.words(of: table)[index]
    let found = old >> shift & mask
    if let expected, expected & mask != found { return found }
    let merged = old & ~(mask << shift) | (value & mask) << shift
    // The table stays a table while its entry changes, even if the entry is its own last mapping.
    guard takeReference(to: table, ownedBy: caller.domain.pointee.id) else {
      throw .refused(.invalid)
    }
    defer { dropReference(to: table) }
    try changeLeaf(
      table, index, to: PageTableEntry(rawValue: merged), in: caller.domain,
      mapping: caller.domain.pointee.id, preservingAccess: false)
    return found
  }
}
