// The domain's page tables. Tables are read where they lie in our own map, and changed by
// hypercall alone: a page that becomes one is made read-only first.

internal import CXenABI

/// The kernel's page table.
enum PageTables {
  /// Present, writable, user, accessed, dirty: ring 3 is where this kernel runs.
  static var writable: UInt64 { 0x67 }
  private static var readOnly: UInt64 { 0x25 }
  /// Present, writable, user, accessed.
  private static var table: UInt64 { 0x27 }
  private static var frameMask: UInt64 { 0x000f_ffff_ffff_f000 }

  // SAFETY: written once by `start`.
  nonisolated(unsafe) private static var top: UInt64 = 0
  static func start(top: UInt64) { self.top = top }

  private static func index(_ address: UInt64, level: Int) -> Int {
    Int(address >> UInt64(12 + 9 * (level - 1)) & 511)
  }

  private static func words(at address: UInt64) -> UnsafePointer<UInt64> {
    // SAFETY: the top table's address, or that of a page of ours: both are mapped and not 0.
    UnsafePointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  /// The table at a level that has the entry for an address; `nil` where there is none.
  private static func find(_ address: UInt64, level: Int) -> UInt64? {
    var current = top
    var depth = 4
    while depth > level {
      let entry = words(at: current)[index(address, level: depth)]
      guard entry & 1 != 0 else { return nil }
      current = Memory.address(ofPage: Memory.page(ofFrame: (entry & frameMask) >> 12))
      depth -= 1
    }
    return current
  }

  /// Whether an address is mapped.
  static func isMapped(_ address: UInt64) -> Bool {
    guard let table = find(address, level: 1) else { return false }
    return words(at: table)[index(address, level: 1)] & 1 != 0
  }

  /// Makes the tables that an address needs down to a level.
  static func prepare(_ address: UInt64, level: Int = 1) -> Bool {
    var current = 4
    while current > level {
      if find(address, level: current - 1) == nil {
        guard let fresh = Memory.takeTable(), link(fresh, at: address, level: current) else {
          return false
        }
      }
      current -= 1
    }
    return true
  }

  /// Enters a table of ours into the one at `level` for an address.
  private static func link(
    _ fresh: UnsafeMutablePointer<UInt64>, at address: UInt64, level: Int
  ) -> Bool {
    guard let parent = find(address, level: level) else { return false }
    let place = UInt64(UInt(bitPattern: fresh))
    let frame = Memory.machineAddress(of: fresh)
    guard set(place, to: frame | readOnly) else { return false }
    let entry = words(at: parent) + index(address, level: level)
    var request = mmu_update()
    request.ptr = Memory.machineAddress(of: entry) | UInt64(MMU_NORMAL_PT_UPDATE)
    request.val = frame | table
    return HYPERVISOR_mmu_update(&request, 1, nil, UInt32(DOMID_SELF)) == 0
  }

  /// Changes the last-level entry of an address whose tables are there.
  static func set(_ address: UInt64, to entry: UInt64) -> Bool {
    HYPERVISOR_update_va_mapping(UInt(address), entry, UInt(UVMF_INVLPG)) == 0
  }

  /// Maps pages of ours that one last-level table covers: the table is filled first, so that the
  /// hypervisor checks it in one go.
  static func mapOwn(_ first: UInt64, through end: UInt64) -> Bool {
    let address = Memory.address(ofPage: first)
    guard prepare(address, level: 2), let fresh = Memory.takeTable() else { return false }
    for page in first..<end {
      fresh[index(Memory.address(ofPage: page), level: 1)] =
        Memory.frame(ofPage: page) << 12 | writable
    }
    return link(fresh, at: address, level: 2)
  }
}
