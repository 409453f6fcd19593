// Operations of memory_op that tell something of the machine, and those that a PV domain is refused.

import CXenABI

/// A region of the machine's memory map, as the firmware has it.
public struct MachineRegion: Hashable, Sendable {
  /// Its first byte.
  public var start: UInt64
  /// How many bytes.
  public var size: UInt64
  /// What it is (XEN_HVM_MEMMAP_TYPE).
  public var type: UInt32

  /// A region.
  public init(start: UInt64 = 0, size: UInt64 = 0, type: UInt32 = 0) {
    self.start = start
    self.size = size
    self.type = type
  }
}

extension Hypervisor {
  /// Operations of memory_op that are not in its table.
  func memoryQuery(
    _ command: Int32, at argument: GuestVirtualAddress, from caller: Caller
  ) throws(HypercallError) -> HypercallResult {
    switch command {
    case XENMEM_machine_memory_map: try tellMachineMap(at: argument, caller)
    case XENMEM_add_to_physmap: try refusePhysicalMap(at: argument, caller, hasSpace: true)
    case XENMEM_remove_from_physmap, XENMEM_add_to_physmap_batch:
      try refusePhysicalMap(at: argument, caller, hasSpace: false)
    case XENMEM_set_pod_target, XENMEM_get_pod_target:
      // Populating on demand is of guests with a physical address space.
      _ = try readWords(5, from: argument)
      throw .invalid
    case XENMEM_machphys_compat_mfn_list: throw .notSupported
    case XENMEM_get_vnumainfo:
      _ = try readWords(5, from: argument)
      _ = try target(DomainID(try readQuarter(at: argument)), for: caller)
      throw .notSupported
    // A domain without a memory map of its own has one region from 0, and memory_map is an unknown
    // operation for it.
    default: throw .noSuchCall
    }
    return .value(0)
  }

  /// The firmware's memory map, for domain 0; a null buffer asks for the number of regions.
  ///
  /// A guest could claim more room than it has mapped: each region is written as any other memory.
  private func tellMachineMap(
    at argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) {
    guard caller.domain.pointee.isPrivileged else { throw .notPermitted }
    let words = try readWords(2, from: argument)
    let count = state.pointee.machineRegionCount
    if words[1] != 0 {
      guard UInt64(words[0] & 0xffff_ffff) > UInt64(count) else { throw .invalid }
      let buffer = GuestVirtualAddress(words[1])
      let size = UInt64(MemoryLayout<xen_e820_entry>.size)
      for index in 0..<count {
        let region = state.pointee.machineRegions[index]
        let place = try element(UInt64(index), ofSize: size, from: buffer)
        try write(region.start, to: place)
        try write(region.size, to: try element(8, ofSize: 1, from: place))
        try write(half: region.type, to: try element(16, ofSize: 1, from: place))
      }
    }
    try write(half: UInt32(count), to: argument)
  }

  /// A PV domain's frame numbers are the machine's: there is no map to change.
  private func refusePhysicalMap(
    at argument: GuestVirtualAddress, _ caller: Caller, hasSpace: Bool
  ) throws(HypercallError) {
    let words = try readWords(2, from: argument)
    if hasSpace, UInt32(truncatingIfNeeded: words[0] >> 32) == UInt32(XENMAPSPACE_gmfn_foreign) {
      throw .noSuchCall
    }
    _ = try target(DomainID(UInt16(truncatingIfNeeded: words[0])), for: caller)
    throw .accessDenied
  }
}
