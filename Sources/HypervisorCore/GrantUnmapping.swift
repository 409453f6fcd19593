// GNTTABOP_unmap_grant_ref and GNTTABOP_unmap_and_replace. Entries are removed first, then TLBs are
// flushed once, and only then the granting side sees its entries unused: no stale access survives.

import CXenABI
import X86
import XenABI

/// One element of an array of unmaps.
private struct UnmapRequest {
  var hostAddress: UInt64
  var deviceAddress: UInt64
  var newAddress: UInt64
  var handle: UInt32
}

/// What is left to do of an element when its entry has been removed.
private struct PendingUnmap {
  var handle: UInt32 = 0
  var parts: UInt16 = 0
  /// Nothing of the mapping is left.
  var isLast = false
  var status = GNTST_okay
}

extension Hypervisor {
  /// Elements between two looks at other work, with one flush.
  private static var batchLength: Int { 32 }

  /// GNTTABOP_unmap_grant_ref.
  func unmapGrants(
    _ arguments: inout HypercallArguments, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    try runUnmaps(
      gnttab_unmap_grant_ref(), Xen.Offset.gnttab_unmap_grant_ref.status, &arguments, caller
    ) {
      UnmapRequest(
        hostAddress: $0.host_addr, deviceAddress: $0.dev_bus_addr, newAddress: 0,
        handle: $0.handle)
    }
  }

  /// GNTTABOP_unmap_and_replace.
  func unmapAndReplace(
    _ arguments: inout HypercallArguments, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    try runUnmaps(
      gnttab_unmap_and_replace(), Xen.Offset.gnttab_unmap_and_replace.status, &arguments, caller
    ) {
      UnmapRequest(
        hostAddress: $0.host_addr, deviceAddress: 0, newAddress: $0.new_addr, handle: $0.handle)
    }
  }

  private func runUnmaps<T>(
    _ empty: T, _ statusOffset: Int, _ arguments: inout HypercallArguments, _ caller: Caller,
    _ request: (T) -> UnmapRequest
  ) throws(HypercallError) -> HypercallResult {
    let size = UInt64(MemoryLayout<T>.stride)
    let base = GuestVirtualAddress(arguments[1])
    let count = arguments[2]
    guard base.isGuestRange(byteCount: count * size) else { throw .fault }
    var done: UInt64 = 0
    while done < count {
      if done > 0, shallYield {
        arguments[1] = base.value + done * size
        arguments[2] = count - done
        return .again
      }
      let place = GuestVirtualAddress(base.value + done * size)
      let length = Int(truncatingIfNeeded: min(count - done, UInt64(Self.batchLength)))
      try unmapBatch(empty, length, statusOffset, at: place, caller, request)
      done += UInt64(length)
    }
    return .value(0)
  }

  /// A batch; where an element cannot be read, those before it are carried out.
  private func unmapBatch<T>(
    _ empty: T, _ length: Int, _ statusOffset: Int, at base: GuestVirtualAddress,
    _ caller: Caller, _ request: (T) -> UnmapRequest
  ) throws(HypercallError) {
    let size = UInt64(MemoryLayout<T>.stride)
    var pending = InlineArray<32, PendingUnmap>(repeating: PendingUnmap())
    var failure: HypercallError?
    var index = 0
    var isFlushDue = false
    while index < length, failure == nil {
      do throws(HypercallError) {
        let element = try read(
          empty, from: GuestVirtualAddress(base.value + UInt64(index) * size))
        pending[index] = beginUnmap(request(element), caller)
        // What only devices reach is in no TLB.
        if pending[index].parts & UInt16(GNTMAP_host_map) != 0 { isFlushDue = true }
        index += 1
      } catch { failure = error }
    }
    if isFlushDue { flush(processors(of: caller.domain)) }
    for done in 0..<index {
      finish(pending[done], of: caller.domain)
      let place = GuestVirtualAddress(base.value + UInt64(done) * size + UInt64(statusOffset))
      do throws(HypercallError) {
        try write(structure: Int16(truncatingIfNeeded: pending[done].status), to: place)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Removes the page-table entry, and says what else the element ends.
  private func beginUnmap(_ request: UnmapRequest, _ caller: Caller) -> PendingUnmap {
    var pending = PendingUnmap()
    guard let mapping = grantMapping(request.handle, of: caller.domain),
      mapping.pointee.parts != 0
    else {
      pending.status = GNTST_bad_handle
      return pending
    }
    pending.handle = request.handle
    let parts = Int32(mapping.pointee.parts)
    if request.deviceAddress != 0, parts & GNTMAP_device_map != 0 {
      guard request.deviceAddress == UInt64(mapping.pointee.frame) << 12 else {
        pending.status = GNTST_bad_dev_addr
        return pending
      }
      pending.parts |= UInt16(GNTMAP_device_map)
    }
    if request.hostAddress != 0, parts & GNTMAP_host_map != 0 {
      do throws(GrantError) { try removeEntry(of: mapping.pointee, request, caller) } catch {
        pending.parts = 0
        pending.status = GNTST_general_error
        return pending
      }
      pending.parts |= UInt16(GNTMAP_host_map)
    }
    mapping.pointee.parts &= ~pending.parts
    pending.isLast = pending.parts != 0 && mapping.pointee.parts == 0
    return pending
  }

  /// Ends the uses that an element's parts held.
  private func finish(_ pending: PendingUnmap, of domain: DomainPointer) {
    guard pending.parts != 0, let mapping = grantMapping(pending.handle, of: domain) else { return }
    endParts(pending.parts, of: mapping)
    if pending.isLast { freeHandle(pending.handle, of: domain) }
  }

  /// Takes the mapping out of its page-table entry, or moves another one in.
  ///
  /// The guest may have put something else there: the entry must map this frame with this access.
  private func removeEntry(
    of mapping: GrantMapping, _ request: UnmapRequest, _ caller: Caller
  ) throws(GrantError) {
    let isEntry = mapping.flags & UInt32(GNTMAP_contains_pte) != 0
    let place = try leafPlace(request.hostAddress, isEntry: isEntry, caller)
    let word = machine.words(of: place.table) + place.index
    let entry = PageTableEntry(rawValue: word.pointee)
    guard entry.isPresent, entry.frameNumber == UInt64(mapping.frame),
      entry.isWritable == mapping.isWritable
    else { throw .status(GNTST_general_error) }
    var moved: UInt64 = 0
    if request.newAddress != 0 {
      guard !isEntry else { throw .status(GNTST_general_error) }
      let source = try leafPlace(request.newAddress, isEntry: false, caller)
      guard source.table != place.table || source.index != place.index else {
        throw .status(GNTST_general_error)
      }
      // What the entry counts moves with it.
      moved = change(machine.words(of: source.table) + source.index) { _ in 0 }
    }
    releaseLeaf(PageTableEntry(rawValue: change(word) { _ in moved }))
  }
}
