// GNTTABOP_map_grant_ref: a frame of another domain in the caller's address space, or for devices.
//
// A mapping holds a use of the entry for each of its parts (GrantUsing.swift); its page-table entry
// counts on top of that what any entry does. So a guest that overwrites the entry by mmu_update, or
// gives its table up, harms only itself: the handle stays, and the frame stays in use.

import CXenABI
import X86
import XenABI

/// Where a page-table entry is.
struct LeafPlace {
  var table: MachineFrame
  var index: Int
}

extension Hypervisor {
  /// GNTTABOP_map_grant_ref.
  func mapGrants(
    _ arguments: inout HypercallArguments, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    try runGrants(gnttab_map_grant_ref(), &arguments) { (request, place) throws(MemoryError) in
      var op = request
      let number = try status { () throws(GrantError) in try mapGrant(&op, caller) }
      op.status = Int16(truncatingIfNeeded: number)
      do throws(HypercallError) { try write(structure: op, to: place) } catch {
        throw .refused(error)
      }
    }
  }

  private func mapGrant(
    _ op: inout gnttab_map_grant_ref, _ caller: Caller
  ) throws(GrantError) {
    let parts = Int32(truncatingIfNeeded: op.flags) & (GNTMAP_device_map | GNTMAP_host_map)
    // The number is Xen 4.17's.
    guard parts != 0 else { throw .status(GNTST_bad_gntref) }
    let granter = try granter(DomainID(op.dom))
    let handle = try takeHandle(of: caller.domain)
    guard let mapping = grantMapping(handle, of: caller.domain) else {
      throw .status(GNTST_no_device_space)
    }
    mapping.pointee.reference = GrantReference(op.ref)
    mapping.pointee.granter = granter.pointee.id
    mapping.pointee.flags = op.flags & UInt32(GNTMAP_readonly | GNTMAP_contains_pte)
    do throws(GrantError) {
      for bit in 0..<2 where parts >> Int32(bit) & 1 != 0 {
        let grant = try useGrant(
          GrantReference(op.ref), of: granter, by: caller.domain.pointee.id,
          as: mapping.pointee.kind(of: 1 << Int32(bit)))
        mapping.pointee.frame = UInt32(truncatingIfNeeded: grant.range.frame.number)
        mapping.pointee.parts |= 1 << UInt16(bit)
      }
      if parts & GNTMAP_host_map != 0 {
        try enter(mapping, op, granter, caller)
        if mapping.pointee.isWritable {
          noteRing(MachineFrame(UInt64(mapping.pointee.frame)), of: granter)
        }
      }
    } catch {
      let taken = mapping.pointee.parts
      mapping.pointee.parts = 0
      endParts(taken, of: mapping)
      freeHandle(handle, of: caller.domain)
      throw error
    }
    op.handle = handle
    op.dev_bus_addr = UInt64(mapping.pointee.frame) << 12
  }

  /// Writes the page-table entry of a mapping, and lets go what it mapped before.
  private func enter(
    _ mapping: UnsafeMutablePointer<GrantMapping>, _ op: gnttab_map_grant_ref,
    _ granter: DomainPointer, _ caller: Caller
  ) throws(GrantError) {
    let place = try leafPlace(
      op.host_addr, isEntry: op.flags & UInt32(GNTMAP_contains_pte) != 0, caller)
    var flags: EntryFlags = [.present, .accessed, .dirty, .noExecute]
    if mapping.pointee.isWritable { flags.insert(.writable) }
    if op.flags & UInt32(GNTMAP_application_map) != 0 { flags.insert(.user) }
    // The three bits that processors leave to software.
    flags.formUnion(EntryFlags(rawValue: UInt64(op.flags >> 16 & 7) << 9))
    let entry = PageTableEntry(frameNumber: UInt64(mapping.pointee.frame), flags: flags)
    do throws(MemoryError) {
      try changeLeaf(
        place.table, place.index, to: entry, in: caller.domain, mapping: granter.pointee.id,
        preservingAccess: false)
    } catch {
      if error == .preempted { throw .preempted }
      throw .status(GNTST_general_error)
    }
  }

  /// The entry at a virtual address, or the one that a machine address names.
  ///
  /// A guest could name any word of memory: it must be an entry of a last-level table of its own.
  func leafPlace(
    _ address: UInt64, isEntry: Bool, _ caller: Caller
  ) throws(GrantError) -> LeafPlace {
    guard isEntry else {
      guard let top = caller.vcpu.pointee.kernelTable,
        let place = leaf(for: GuestVirtualAddress(address), under: top)
      else { throw .status(GNTST_general_error) }
      return LeafPlace(table: place.table, index: place.index)
    }
    let table = MachineAddress(address).frame
    guard address & 7 == 0, frames.contains(table) else { throw .status(GNTST_general_error) }
    let record = frames[table].pointee
    guard record.owner == caller.domain.pointee.id, record.type == .level1, record.typeUses > 0
    else { throw .status(GNTST_general_error) }
    return LeafPlace(table: table, index: Int(address & 0xfff) >> 3)
  }
}
