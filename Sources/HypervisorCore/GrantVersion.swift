// The form of a domain's entries: version 1, eight bytes with the marks in the flags, or version 2,
// sixteen bytes with the marks in status words. A change empties the table but for the reserved
// entries, which the toolstack has filled in.

import CXenABI
import XenABI

extension Hypervisor {
  /// GNTTABOP_get_version.
  func tellVersion(_ argument: GuestVirtualAddress, _ caller: Caller) throws(HypercallError) {
    var op = try read(gnttab_get_version(), from: argument)
    let owner = try target(DomainID(op.dom), for: caller)
    op.version = owner.pointee.grants?.pointee.version ?? 1
    try write(
      half: op.version,
      to: try place(argument, UInt64(Xen.Offset.gnttab_get_version.version)))
  }

  /// GNTTABOP_set_version; the version in force is told in any case.
  func setVersion(
    _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    let version = try read(gnttab_set_version(), from: argument).version
    var answer = HypercallResult.value(0)
    do throws(HypercallError) { try change(to: version, of: caller.domain) } catch {
      answer = .error(error)
    }
    try write(half: caller.domain.pointee.grants?.pointee.version ?? 1, to: argument)
    return answer
  }

  private func change(to version: UInt32, of domain: DomainPointer) throws(HypercallError) {
    guard version == 1 || version == 2 else { throw .invalid }
    let state = try grants(of: domain)
    guard state.pointee.version != version else { return }
    let reserved = GrantTable.reservedCount
    var busy = state.pointee.usedCount
    for index in 0..<reserved where isGrantUsed(index, state) { busy -= 1 }
    guard busy == 0 else { throw .busy }
    var heads = InlineArray<8, UInt64>(repeating: 0)
    var granted = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<reserved {
      let words = grantWords(index, state)
      let head = snapshot(words)
      let marks = UInt64(GTF_reading | GTF_writing)
      heads[index] = head & 0xffff_ffff & ~marks
      granted[index] = state.pointee.version == 1 ? head >> 32 : snapshot(words + 1)
      guard granted[index] >> 32 == 0 || version == 2 else { throw .outOfRange }
    }
    if version == 2 {
      try growStatus(forFrames: state.pointee.frameCount, of: domain, state)
    } else {
      try endStatus(state)
    }
    for index in 0..<state.pointee.frameCount {
      machine.clear(MachineFrame(UInt64(state.pointee.frames[index])))
    }
    state.pointee.version = version
    for index in 0..<reserved {
      let words = grantWords(index, state)
      words[0] = version == 1 ? heads[index] | granted[index] << 32 : heads[index]
      if version == 2 { words[1] = granted[index] }
      remarkGrant(index, state)
    }
  }

  /// Gives the status words up, unless the guest has them mapped.
  private func endStatus(_ state: UnsafeMutablePointer<GrantState>) throws(HypercallError) {
    for index in 0..<state.pointee.statusCount {
      let frame = MachineFrame(UInt64(state.pointee.statusFrames[index]))
      guard frames[frame].pointee.references == 1 else { throw .busy }
    }
    dropStatus(state)
  }

  /// Makes a table that nobody uses as it is at a domain's start, but for its length.
  ///
  /// Busy, with nothing changed: the guest has status words mapped.
  func emptyGrants(of domain: DomainPointer) throws(HypercallError) {
    guard let state = domain.pointee.grants else { return }
    try endStatus(state)
    for index in 0..<state.pointee.frameCount {
      machine.clear(MachineFrame(UInt64(state.pointee.frames[index])))
    }
    state.pointee.version = 1
  }

  /// Fills a reserved entry in before the domain runs, as a toolstack does for the pages of the
  /// console and of the store.
  public func reserveGrant(
    _ reference: GrantReference, of domain: DomainPointer, to user: DomainID, frame: MachineFrame
  ) throws(HypercallError) {
    let state = try grants(of: domain)
    guard Int(reference.rawValue) < GrantTable.reservedCount,
      !isGrantUsed(Int(reference.rawValue), state), frame.number >> 32 == 0
    else { throw .invalid }
    let words = grantWords(Int(reference.rawValue), state)
    let head = UInt64(user.rawValue) << 16 | UInt64(GTF_permit_access)
    words[0] = state.pointee.version == 1 ? head | frame.number << 32 : head
    if state.pointee.version == 2 { words[1] = frame.number }
  }
}
