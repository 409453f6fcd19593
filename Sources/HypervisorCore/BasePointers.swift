// Pins and page-table bases: the uses of tables that are no entries.

extension Hypervisor {
  /// Validates and pins a table, which stays validated until it is unpinned.
  public func pin(
    _ frame: MachineFrame, level: Int, of owner: DomainPointer
  ) throws(MemoryError) {
    guard level <= owner.pointee.topLevel else { throw .refused(.invalid) }
    try take(frame, as: .table(level: level), ownedBy: owner)
    let record = frames[frame]
    guard !record.pointee.flags.contains(.pinned), !owner.pointee.isDying else {
      drop(frame)
      throw .refused(.invalid)
    }
    record.pointee.flags.insert(.pinned)
  }

  /// Drops a pin.
  public func unpin(_ frame: MachineFrame, of owner: DomainPointer) throws(MemoryError) {
    guard takeReference(to: frame, ownedBy: owner.pointee.id) else { throw .refused(.invalid) }
    defer { dropReference(to: frame) }
    guard frames[frame].pointee.flags.contains(.pinned) else { throw .refused(.invalid) }
    dropPin(of: frame)
  }

  /// Makes a table the kernel's, and loads it: the caller runs in kernel mode.
  public func loadKernelTable(_ frame: MachineFrame, for caller: Caller) throws(MemoryError) {
    let old = caller.vcpu.pointee.kernelTable
    if old != frame {
      try take(frame, as: caller.domain.pointee.topType, ownedBy: caller.domain)
      caller.vcpu.pointee.kernelTable = frame
      completeKernelTable(frame, of: caller.vcpu)
    }
    // The new table is loaded before the old one can be taken apart.
    machine.loadPageTableBase(caller.vcpu.pointee.monitorTable ?? frame)
    flushLocal()
    if old != frame, let old { drop(old) }
  }

  /// Makes a table user mode's, to be loaded on the way there; frame 0 for none.
  public func setUserTable(_ frame: MachineFrame, for caller: Caller) throws(MemoryError) {
    let old = caller.vcpu.pointee.userTable
    if frame.number == 0 {
      caller.vcpu.pointee.userTable = nil
    } else {
      // In a 32-bit guest page tables keep user mode from the kernel's pages.
      guard !caller.domain.pointee.is32Bit else { throw .refused(.invalid) }
      if old != frame {
        try take(frame, as: .level4, ownedBy: caller.domain)
        caller.vcpu.pointee.userTable = frame
      }
      if caller.domain.pointee.hidesMachineToPhysical {
        machine.words(of: frame)[Self.machineToPhysicalSlot] = 0
      }
      if old == frame { return }
    }
    if let old { drop(old) }
  }

  /// Gives a vcpu's tables back.
  ///
  /// It does not run, and no processor has them as base.
  public func dropTables(of vcpu: UnsafeMutablePointer<VCPU>) {
    if let monitor = vcpu.pointee.monitorTable { machine.words(of: monitor)[0] = 0 }
    if let table = vcpu.pointee.kernelTable { drop(table) }
    if let table = vcpu.pointee.userTable { drop(table) }
    vcpu.pointee.kernelTable = nil
    vcpu.pointee.userTable = nil
    dropLocalPages(.max, of: vcpu)
    dropDescriptors(of: vcpu)
  }

  /// The slot of a top-level table under which guests read the M2P table.
  static var machineToPhysicalSlot: Int { 256 }

  /// Gives a validated table what every kernel's has.
  ///
  /// Needed wherever a table becomes a vcpu's kernel table.
  func completeKernelTable(_ frame: MachineFrame, of vcpu: UnsafeMutablePointer<VCPU>) {
    guard vcpu.pointee.monitorTable == nil else { return watch(frame, of: vcpu) }
    machine.words(of: frame)[Self.machineToPhysicalSlot] = state.pointee.reservedEntries[0]
  }
}
