// Hypercalls update_va_mapping and update_va_mapping_otherdomain: the last-level entry of one
// virtual address, with a flush.

import CXenABI
import X86

extension Hypervisor {
  /// update_va_mapping(address, entry, flags), and with a fourth argument the owner of the frame.
  public func updateVAMapping(
    _ arguments: inout HypercallArguments, otherDomain: Bool = false, from caller: Caller
  ) -> HypercallResult {
    let address = GuestVirtualAddress(arguments[0])
    let entry = PageTableEntry(rawValue: arguments[1])
    do throws(HypercallError) {
      var mapped = caller.domain.pointee.id
      if otherDomain {
        mapped = try mappingTarget(
          DomainID(UInt16(truncatingIfNeeded: arguments[3])), for: caller)
      }
      guard let top = caller.vcpu.pointee.kernelTable,
        let place = leaf(for: address, under: top)
      else { throw .invalid }
      do {
        try drain(caller.domain)
        try changeLeaf(
          place.table, place.index, to: entry, in: caller.domain, mapping: mapped,
          preservingAccess: false)
      } catch {
        switch error {
        case .refused(let reason): throw reason
        case .preempted:
          do throws(MemoryError) { try drain(caller.domain) } catch {}
          return .again
        }
      }
      try flushAfterUpdate(of: address, flags: arguments[2], caller)
      return .value(0)
    } catch {
      return .error(error)
    }
  }

  /// Flags: 1 flushes all, 2 the address; the rest says whose TLBs: 0 this vcpu's, 4 all of the
  /// domain's, else the address of a bitmap of vcpus.
  @inline(__always)
  private func flushAfterUpdate(
    of address: GuestVirtualAddress, flags: UInt64, _ caller: Caller
  ) throws(HypercallError) {
    if flags == UInt64(UVMF_INVLPG | UVMF_LOCAL) {
      machine.invalidatePage(address)
    } else {
      try flushMore(of: address, flags: flags, caller)
    }
  }

  @inline(never)
  private func flushMore(
    of address: GuestVirtualAddress, flags: UInt64, _ caller: Caller
  ) throws(HypercallError) {
    let kind = Int32(flags & 3)
    guard kind == UVMF_TLB_FLUSH || kind == UVMF_INVLPG else { return }
    switch flags & ~3 {
    case UInt64(UVMF_LOCAL):
      if kind == UVMF_TLB_FLUSH { flushLocal() } else { machine.invalidatePage(address) }
    case UInt64(UVMF_ALL):
      flush(kind == UVMF_TLB_FLUSH ? nil : address, on: processors(of: caller.domain))
    case let bitmap:
      let set = try processors(
        of: caller.domain, inBitmapAt: GuestVirtualAddress(bitmap))
      flush(kind == UVMF_TLB_FLUSH ? nil : address, on: set)
    }
  }
}
