// Operations on the table itself: its size, the frames of its entries and status words, and two
// entries that change places.

import CXenABI
import XenABI

extension Hypervisor {
  /// The domain whose table is meant; others than the caller's are for privileged domains.
  func grantOwner(_ id: UInt16, _ caller: Caller) throws(GrantError) -> DomainPointer {
    if DomainID(id) == .caller { return caller.domain }
    let domain = try granter(DomainID(id))
    guard domain == caller.domain || caller.domain.pointee.isPrivileged else {
      throw .status(GNTST_permission_denied)
    }
    return domain
  }

  /// GNTTABOP_query_size.
  func querySize(
    _ argument: GuestVirtualAddress, _ count: UInt32, _ caller: Caller
  ) throws(HypercallError) {
    guard count == 1 else { throw .invalid }
    var op = try read(gnttab_query_size(), from: argument)
    op.status = result { () throws(GrantError) in
      let owner = try grantOwner(op.dom, caller)
      // The table is made with its first frame when it is first used.
      op.nr_frames = UInt32(owner.pointee.grants?.pointee.frameCount ?? 1)
      op.max_nr_frames = UInt32(owner.pointee.grantFrameLimit)
    }
    try write(structure: op, to: argument)
  }

  /// GNTTABOP_setup_table.
  func setupTable(
    _ argument: GuestVirtualAddress, _ count: UInt32, _ caller: Caller
  ) throws(HypercallError) {
    guard count == 1 else { throw .invalid }
    var op = try read(gnttab_setup_table(), from: argument)
    let list = GuestVirtualAddress(UInt64(UInt(bitPattern: op.frame_list)))
    // Overflow: the product of 32 bits and 8 fits.
    guard isOwnRange(list, byteCount: UInt64(op.nr_frames) * 8, of: caller.domain) else {
      throw .fault
    }
    op.status = result { () throws(GrantError) in
      let owner = try grantOwner(op.dom, caller)
      do throws(HypercallError) {
        guard op.nr_frames <= UInt32(GrantTable.frameLimit) else { throw .noMemory }
        try growGrants(to: Int(op.nr_frames), of: owner)
      } catch { throw .status(GNTST_general_error) }
      guard let state = owner.pointee.grants else { throw .status(GNTST_general_error) }
      try tell(Int(op.nr_frames), at: list, caller.domain) { state.pointee.frames[$0] }
    }
    try write(
      structure: op.status, to: try place(argument, UInt64(Xen.Offset.gnttab_setup_table.status)))
  }

  /// GNTTABOP_get_status_frames.
  func statusFrames(
    _ argument: GuestVirtualAddress, _ count: UInt32, _ caller: Caller
  ) throws(HypercallError) {
    guard count == 1 else { throw .invalid }
    var op = try read(gnttab_get_status_frames(), from: argument)
    let list = GuestVirtualAddress(UInt64(UInt(bitPattern: op.frame_list)))
    guard isOwnRange(list, byteCount: UInt64(op.nr_frames) * 8, of: caller.domain) else {
      throw .fault
    }
    op.status = result { () throws(GrantError) in
      let owner = try grantOwner(op.dom, caller)
      let state = owner.pointee.grants
      guard op.nr_frames <= UInt32(state?.pointee.statusCount ?? 0) else {
        throw .status(GNTST_general_error)
      }
      guard let state else { return }
      try tell(Int(op.nr_frames), at: list, nil) { state.pointee.statusFrames[$0] }
    }
    try write(
      structure: op.status,
      to: try place(argument, UInt64(Xen.Offset.gnttab_get_status_frames.status)))
  }

  /// GNTTABOP_swap_grant_ref.
  func swapGrants(
    _ arguments: inout HypercallArguments, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    try runGrants(gnttab_swap_grant_ref(), &arguments) { (op, place) throws(MemoryError) in
      let number = try status { () throws(GrantError) in
        try swap(op.ref_a, op.ref_b, of: caller.domain)
      }
      try write(status: number, at: Xen.Offset.gnttab_swap_grant_ref.status, of: place)
    }
  }

  private func swap(_ a: UInt32, _ b: UInt32, of domain: DomainPointer) throws(GrantError) {
    let state: UnsafeMutablePointer<GrantState>
    do throws(HypercallError) { state = try grants(of: domain) } catch {
      throw .status(GNTST_general_error)
    }
    guard max(a, b) < UInt32(truncatingIfNeeded: state.pointee.entryCount) else {
      throw .status(GNTST_bad_gntref)
    }
    if a == b { return }
    guard !isGrantUsed(Int(a), state), !isGrantUsed(Int(b), state) else {
      throw .status(GNTST_eagain)
    }
    let first = grantWords(Int(a), state)
    let second = grantWords(Int(b), state)
    for word in 0..<Int(state.pointee.version) {
      let kept = snapshot(first + word)
      first[word] = snapshot(second + word)
      second[word] = kept
    }
  }

  /// Writes frame numbers into a guest's list, each as wide as the domain's registers, or 64 bits.
  private func tell(
    _ count: Int, at list: GuestVirtualAddress, _ domain: DomainPointer?, _ frame: (Int) -> UInt32
  ) throws(GrantError) {
    do throws(HypercallError) {
      for index in 0..<count {
        if let domain {
          try write(frameNumber: UInt64(frame(index)), UInt64(index), of: list, domain)
        } else {
          try write(UInt64(frame(index)), to: try element(UInt64(index), ofSize: 8, from: list))
        }
      }
    } catch { throw .status(GNTST_bad_virt_addr) }
  }

  /// The status of an operation that cannot be interrupted.
  private func result(_ body: () throws(GrantError) -> Void) -> Int16 {
    do throws(GrantError) { try body() } catch {
      guard case .status(let number) = error else { return Int16(GNTST_eagain) }
      return Int16(truncatingIfNeeded: number)
    }
    return Int16(GNTST_okay)
  }
}
