// Hypercall grant_table_op: the table of operations, and the common course of those on arrays. Each
// element is copied in once and carries its own result; the call's result is 0 all the same.

import CXenABI
import XenABI

extension Hypervisor {
  /// grant_table_op(command, argument, count).
  ///
  /// A call that is interrupted leaves the rest of its array in its arguments.
  public func grantTableOperation(
    _ arguments: inout HypercallArguments, from caller: Caller
  ) -> HypercallResult {
    let command = UInt32(truncatingIfNeeded: arguments[0])
    let count = UInt32(truncatingIfNeeded: arguments[2])
    // Xen keeps its own progress in the upper bits.
    guard command >> 12 == 0, count >> 31 == 0 else { return .error(.invalid) }
    arguments[2] = UInt64(count)
    let argument = GuestVirtualAddress(arguments[1])
    do throws(HypercallError) {
      switch Int32(command) {
      case GNTTABOP_map_grant_ref: return try mapGrants(&arguments, caller)
      case GNTTABOP_unmap_grant_ref: return try unmapGrants(&arguments, caller)
      case GNTTABOP_unmap_and_replace: return try unmapAndReplace(&arguments, caller)
      case GNTTABOP_setup_table: try setupTable(argument, count, caller)
      case GNTTABOP_query_size: try querySize(argument, count, caller)
      case GNTTABOP_transfer: return try refuseTransfers(&arguments)
      case GNTTABOP_copy: return try copyGrants(&arguments, caller)
      case GNTTABOP_set_version: return try setVersion(argument, caller)
      case GNTTABOP_get_status_frames: try statusFrames(argument, count, caller)
      case GNTTABOP_get_version: try tellVersion(argument, caller)
      case GNTTABOP_swap_grant_ref: return try swapGrants(&arguments, caller)
      case GNTTABOP_cache_flush: return try flushGrantCaches(&arguments, caller)
      default: throw .noSuchCall
      }
      return .value(0)
    } catch {
      return .error(error)
    }
  }

  /// Works through an array; each element is read once.
  ///
  /// `perform` writes the element's results. A guest could let the array run into the hypervisor or
  /// round the end of the address space: the whole range is looked at first.
  func runGrants<T>(
    _ empty: T, _ arguments: inout HypercallArguments,
    _ perform: (T, GuestVirtualAddress) throws(MemoryError) -> Void
  ) throws(HypercallError) -> HypercallResult {
    let size = UInt64(MemoryLayout<T>.stride)
    let base = GuestVirtualAddress(arguments[1])
    let count = arguments[2]
    guard base.isGuestRange(byteCount: count * size) else { throw .fault }
    var index: UInt64 = 0
    while index < count {
      let place = GuestVirtualAddress(base.value + index * size)
      do throws(MemoryError) {
        if index > 0, shallYield { throw .preempted }
        let element: T
        do throws(HypercallError) { element = try read(empty, from: place) } catch {
          throw .refused(error)
        }
        try perform(element, place)
      } catch {
        if case .refused(let reason) = error { throw reason }
        arguments[1] = place.value
        arguments[2] = count - index
        return .again
      }
      index += 1
    }
    return .value(0)
  }

  /// Writes an element's status.
  func write(
    status: Int32, at offset: Int, of place: GuestVirtualAddress
  ) throws(MemoryError) {
    do throws(HypercallError) {
      try write(
        structure: Int16(truncatingIfNeeded: status),
        to: try element(UInt64(offset), ofSize: 1, from: place))
    } catch { throw .refused(error) }
  }

  /// The number for what was thrown; an interruption goes on its way.
  func status(_ body: () throws(GrantError) -> Void) throws(MemoryError) -> Int32 {
    do throws(GrantError) { try body() } catch {
      switch error {
      case .status(let number): return number
      case .preempted: throw .preempted
      }
    }
    return GNTST_okay
  }

  /// A domain whose grants are to be used.
  ///
  /// Nobody uses a dying domain's grants any more.
  func granter(_ id: DomainID) throws(GrantError) -> DomainPointer {
    guard let domain = domains.find(id), !domain.pointee.isDying else {
      throw .status(GNTST_bad_domain)
    }
    return domain
  }

  /// GNTTABOP_transfer: the frame stays with the caller, as GNTST_bad_page says.
  private func refuseTransfers(
    _ arguments: inout HypercallArguments
  ) throws(HypercallError) -> HypercallResult {
    try runGrants(gnttab_transfer(), &arguments) { (_, place) throws(MemoryError) in
      try write(status: GNTST_bad_page, at: Xen.Offset.gnttab_transfer.status, of: place)
    }
  }

  /// GNTTABOP_cache_flush: nothing to do on a machine whose devices see the caches.
  private func flushGrantCaches(
    _ arguments: inout HypercallArguments, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    try runGrants(gnttab_cache_flush(), &arguments) { (op, _) throws(MemoryError) in
      let known = UInt32(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL)
      let frame = MachineAddress(op.a.dev_bus_addr).frame
      guard op.op & ~known == 0, Int32(op.offset) < XEN_PAGE_SIZE,
        Int(op.offset) + Int(op.length) <= Int(XEN_PAGE_SIZE),
        frames.isMemory(frame)
      else { throw .refused(.invalid) }
      guard frames[frame].pointee.owner == caller.domain.pointee.id else {
        throw .refused(.notPermitted)
      }
      // Dropping lines without writing them back would give away what others had there before.
      if op.op == UInt32(GNTTAB_CACHE_INVAL) { throw .refused(.notSupported) }
    }
  }
}
