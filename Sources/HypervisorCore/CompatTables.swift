// Page tables of 32-bit guests: three levels in the PAE format, which a processor in long mode reads as
// the lower three of four. Above them stands a table of the hypervisor's own for each vcpu.
//
//     monitor table   slot 0         the guest's table of level 3, of which 4 entries are the guest's
//                     slot 1         pages for arguments in the 64-bit form (CompatArguments.swift)
//                     slots 256 on   the hypervisor
//     level 3         entry 3        a table of level 2 whose last entries show the M2P table
//
// abi/mmu.yaml, "Three levels on x86_32".

import X86

/// Places in the tables of 32-bit guests.
enum CompatTable {
  /// Entries of a top-level table.
  static var topCount: Int { 4 }
  /// The entry of the top-level table under which the hypervisor's part lies.
  static var highIndex: Int { 3 }

  /// The first entry of the fourth table of level 2 that is the hypervisor's.
  static func firstReserved(for domain: DomainPointer) -> Int {
    Int(truncatingIfNeeded: domain.pointee.reservedStart >> 21) & 511
  }
}

extension Hypervisor {
  /// Whether an entry of a table is the hypervisor's own, whatever the guest wrote there.
  @inline(__always)
  static func isReserved(_ index: Int, in type: FrameType, of domain: DomainPointer) -> Bool {
    switch type {
    case .level4: isReservedSlot(index)
    case .level2High: index >= CompatTable.firstReserved(for: domain)
    default: false
    }
  }

  /// Whether a guest can change an entry of a table in use: the hypervisor's are not to be had, nor is
  /// that which leads to them.
  @inline(__always)
  static func isFixed(_ index: Int, in type: FrameType, of domain: DomainPointer) -> Bool {
    if type == .level3, domain.pointee.is32Bit { return index >= CompatTable.highIndex }
    return isReserved(index, in: type, of: domain)
  }

  /// Before a 32-bit top-level table is validated.
  ///
  /// Guests need not fill in more than four entries, but the processor sees the whole page: what the
  /// guest left there would be tables that nobody has checked.
  func prepareCompatTop(_ frame: MachineFrame) throws(MemoryError) {
    let words = machine.words(of: frame)
    guard PageTableEntry(rawValue: words[CompatTable.highIndex]).isPresent else {
      throw .refused(.invalid)
    }
    for index in CompatTable.topCount..<512 where words[index] != 0 { words[index] = 0 }
  }

  /// The hypervisor's entries: the M2P table of 32-bit words, to read, and nothing behind it.
  ///
  /// Ring 1 reads them as a supervisor does; user mode does not see them.
  func installCompatEntries(in frame: MachineFrame, of domain: DomainPointer) {
    let words = machine.words(of: frame)
    let first = CompatTable.firstReserved(for: domain)
    for index in first..<512 {
      words[index] = compatEntry(index - first)
    }
  }

  private func compatEntry(_ index: Int) -> UInt64 {
    guard index < state.pointee.compatWindowCount else { return 0 }
    let flags: EntryFlags = [.present, .accessed, .large, .noExecute]
    let frame = state.pointee.compatWindow.number + UInt64(index) << 9
    return PageTableEntry(frameNumber: frame, flags: flags).rawValue
  }

  /// Gives each vcpu of a 32-bit domain a table to stand above the guest's.
  ///
  /// False where memory runs out; what there is by then goes with the vcpus.
  public func makeMonitorTables(of domain: DomainPointer) -> Bool {
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index]
      guard vcpu.pointee.monitorTable == nil else { continue }
      guard let frame = allocateOwn() else { return false }
      let words = machine.words(of: frame)
      words[1] = state.pointee.argumentEntry
      // The 64-bit M2P table, slot 256, is of no use to it.
      for slot in 1..<16 { words[256 + slot] = state.pointee.reservedEntries[slot] }
      vcpu.pointee.monitorTable = frame
    }
    return true
  }

  /// Gives the table of a vcpu that is gone back.
  public func freeMonitorTable(of vcpu: UnsafeMutablePointer<VCPU>) {
    guard let frame = vcpu.pointee.monitorTable else { return }
    vcpu.pointee.monitorTable = nil
    freeOwn(frame)
  }

  /// Puts a guest's validated table under that of its vcpu.
  func watch(_ frame: MachineFrame, of vcpu: UnsafeMutablePointer<VCPU>) {
    guard let monitor = vcpu.pointee.monitorTable else { return }
    let flags: EntryFlags = [.present, .writable, .user, .accessed]
    machine.words(of: monitor)[0] =
      PageTableEntry(frameNumber: frame.number, flags: flags).rawValue
  }
}
