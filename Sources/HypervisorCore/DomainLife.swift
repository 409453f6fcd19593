// A domain's begin and end, as far as frames are concerned.

extension Hypervisor {
  /// Enters a domain; nil where its slot is taken.
  ///
  /// It has no frames yet.
  public func createDomain(_ domain: Domain) -> DomainPointer? { domains.insert(domain) }

  /// Begins a domain's death: from here on it gets nothing new.
  ///
  /// Its vcpus run no more, and no processor has its tables loaded.
  public func beginDeath(of domain: DomainPointer) {
    guard !domain.pointee.isDying else { return }
    domain.pointee.isDying = true
    domain.pointee.returnCursor = min(domain.pointee.lowestFrame, domain.pointee.endOfFrames)
    closeAll(of: domain)
    dropRecord(of: domain)
    dropGrantTable(of: domain)
    for index in 0..<domain.pointee.vcpuCount {
      dropTables(of: domain.pointee.vcpus[index])
      dropInfo(of: domain.pointee.vcpus[index])
    }
    if let page = domain.pointee.sharedInfo {
      domain.pointee.sharedInfo = nil
      dropShared(page)
    }
  }

  /// Goes on with a domain's death: pins and the reservation are given back frame by frame.
  ///
  /// Interrupted where other work waits, or after so many frames, and called again then.
  public func continueDeath(
    of domain: DomainPointer, budget: UInt64 = .max
  ) throws(MemoryError) {
    try drain(domain)
    var left = budget
    while domain.pointee.returnCursor < domain.pointee.endOfFrames {
      guard left > 0 else { throw .preempted }
      left -= 1
      let frame = MachineFrame(domain.pointee.returnCursor)
      domain.pointee.returnCursor += 1
      let record = frames[frame]
      guard record.pointee.owner == domain.pointee.id else { continue }
      if record.pointee.flags.contains(.validating) { abandonValidation(of: frame) }
      // A frame that was given up while mapped can still have been pinned, and is freed here.
      if record.pointee.flags.contains(.pinned) { dropPin(of: frame) }
      guard record.pointee.owner == domain.pointee.id else { continue }
      _ = giveUp(frame, of: domain)
      try drain(domain)
      if shallYield { throw .preempted }
    }
    try releaseMappings(of: domain)
  }

  /// Frees a dead domain's number, once nobody uses a frame of it any more.
  ///
  /// Answers whether it did.
  public func finishDeath(of domain: DomainPointer) -> Bool {
    guard domain.pointee.isDying, domain.pointee.returnCursor >= domain.pointee.endOfFrames,
      domain.pointee.grants == nil, domain.pointee.pageCount == 0,
      domain.pointee.teardownHead == FrameRecord.endOfList
    else { return false }
    domains.remove(domain)
    return true
  }
}
