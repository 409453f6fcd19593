// General references: what keeps a frame from being freed. See FrameRecord for what counts.

extension Hypervisor {
  /// Takes a reference to a frame, if a domain owns it.
  ///
  /// The guest chooses the number freely: I/O memory, the hypervisor's and free frames have no
  /// references and answer false, as does a frame of somebody else.
  public func takeReference(to frame: MachineFrame, ownedBy owner: DomainID) -> Bool {
    guard frames.contains(frame) else { return false }
    let record = frames[frame]
    guard record.pointee.owner == owner, record.pointee.references > 0,
      record.pointee.references < FrameRecord.countLimit
    else { return false }
    record.pointee.references += 1
    return true
  }

  /// Gives a reference back.
  ///
  /// The last one frees the frame.
  public func dropReference(to frame: MachineFrame) {
    let record = frames[frame]
    precondition(record.pointee.references > 0, "Reference count below zero")
    record.pointee.references -= 1
    if record.pointee.references == 0 { free(frame) }
  }

  /// Gives up a frame of a domain's reservation.
  ///
  /// It is freed when its last use ends.
  ///
  /// A pin is given up as well; tables under it are queued, so the caller drains afterwards.
  /// Answers whether the frame was in the reservation.
  func giveUp(_ frame: MachineFrame, of domain: DomainPointer) -> Bool {
    guard frames.contains(frame) else { return false }
    let record = frames[frame]
    guard record.pointee.owner == domain.pointee.id, record.pointee.references > 0,
      record.pointee.flags.contains(.allocated)
    else { return false }
    if record.pointee.flags.contains(.pinned) { dropPin(of: frame) }
    if record.pointee.flags.contains(.validating) { abandonValidation(of: frame) }
    record.pointee.flags.remove(.allocated)
    dropReference(to: frame)
    return true
  }

  /// Drops the pin of a pinned table.
  func dropPin(of frame: MachineFrame) {
    let record = frames[frame]
    record.pointee.flags.remove(.pinned)
    dropType(of: frame)
    dropReference(to: frame)
  }
}
