// GNTTABOP_copy: bytes between two frames, each by reference or, if it is the caller's, by number.
// Both frames are held while the bytes move; the source may be a page table, the destination not.

import CXenABI
import XenABI

/// One side of a copy.
private struct CopySide {
  /// The frame, referenced, and the bytes that may be used.
  var range: GrantedRange
  /// It may be written.
  var isWritable: Bool
  /// The entry that grants it; nil for a frame of the caller's.
  var grant: UsedGrant?
  /// The transitive entry that led there.
  var passed: UsedGrant?
}

extension Hypervisor {
  /// GNTTABOP_copy.
  func copyGrants(
    _ arguments: inout HypercallArguments, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    try runGrants(gnttab_copy(), &arguments) { (op, place) throws(MemoryError) in
      let number = try status { () throws(GrantError) in try copy(op, caller) }
      try write(status: number, at: Xen.Offset.gnttab_copy.status, of: place)
    }
  }

  /// Under the locks of both domains, in the order of their places in memory, so that two that copy to and
  /// fro do not wait for each other.
  private func copy(_ op: gnttab_copy, _ caller: Caller) throws(GrantError) {
    let from = try copyDomain(op.source.domid, caller)
    let to = try copyDomain(op.dest.domid, caller)
    if machine.holdsAll { return try copy(op, from, to, caller) }
    let first = Self.lock(of: min(from, to))
    let second = Self.lock(of: max(from, to))
    machine.take(first)
    defer { machine.release(first) }
    if second != first { machine.take(second) }
    defer { if second != first { machine.release(second) } }
    try copy(op, from, to, caller)
  }

  private func copy(
    _ op: gnttab_copy, _ from: DomainPointer, _ to: DomainPointer, _ caller: Caller
  ) throws(GrantError) {
    let source = try claim(
      op.source, from, isReference: Int32(op.flags) & GNTCOPY_source_gref != 0, isWritable: false,
      caller)
    defer { letGo(source) }
    let destination = try claim(
      op.dest, to, isReference: Int32(op.flags) & GNTCOPY_dest_gref != 0, isWritable: true, caller)
    defer { letGo(destination) }
    let start = try bytes(op.source.offset, op.len, in: source.range)
    let end = try bytes(op.dest.offset, op.len, in: destination.range)
    // SAFETY: both ranges have been compared with the page. They may be in one frame and overlap, and
    // a guest may write to them meanwhile: nothing depends on what they hold.
    (UnsafeMutableRawPointer(machine.words(of: destination.range.frame)) + end).copyMemory(
      from: UnsafeRawPointer(machine.words(of: source.range.frame)) + start,
      byteCount: Int(op.len))
  }

  private func copyDomain(_ id: UInt16, _ caller: Caller) throws(GrantError) -> DomainPointer {
    DomainID(id) == .caller ? caller.domain : try granter(DomainID(id))
  }

  private func claim(
    _ side: gnttab_copy_ptr, _ owner: DomainPointer, isReference: Bool, isWritable: Bool,
    _ caller: Caller
  ) throws(GrantError) -> CopySide {
    guard isReference else {
      guard DomainID(side.domid) == .caller else { throw .status(GNTST_permission_denied) }
      let frame = MachineFrame(UInt64(side.u.gmfn))
      try hold(frame, of: caller.domain, isWritable: isWritable)
      return CopySide(range: GrantedRange(frame: frame), isWritable: isWritable)
    }
    let kind = GrantKind(isDevice: false, isWritable: isWritable)
    let first = try useGrant(
      GrantReference(side.u.ref), of: owner, by: caller.domain.pointee.id, as: kind, isCopy: true)
    guard let next = first.range.next else {
      return CopySide(range: first.range, isWritable: isWritable, grant: first)
    }
    do throws(GrantError) {
      // A third domain, whose lock would come out of order.
      try requireAllForGrant()
      // One step only, and not back to the same domain: a guest could make a circle.
      guard next.domain != owner.pointee.id, let third = domains.find(next.domain),
        !third.pointee.isDying
      else { throw .status(GNTST_general_error) }
      let second = try useGrant(
        next.reference, of: third, by: owner.pointee.id, as: kind, isCopy: true)
      guard second.range.next == nil else {
        endUse(second)
        throw .status(GNTST_general_error)
      }
      return CopySide(
        range: second.range, isWritable: isWritable, grant: second, passed: first)
    } catch {
      endUse(first)
      throw error
    }
  }

  private func letGo(_ side: CopySide) {
    if let grant = side.grant {
      endUse(grant)
    } else {
      if side.isWritable { dropType(of: side.range.frame) }
      dropReference(to: side.range.frame)
    }
    if let passed = side.passed { endUse(passed) }
  }

  /// Where the bytes begin; a length that crosses the page's end or leaves the grant is refused.
  private func bytes(
    _ offset: UInt16, _ length: UInt16, in range: GrantedRange
  ) throws(GrantError) -> Int {
    let end = Int(offset) + Int(length)
    guard end <= Int(XEN_PAGE_SIZE) else { throw .status(GNTST_bad_copy_arg) }
    guard Int(offset) >= range.start, end <= range.end else { throw .status(GNTST_general_error) }
    return Int(offset)
  }
}
