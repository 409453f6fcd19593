// Addresses at which frames of devices and of other domains are mapped, in a top-level slot of
// their own.

internal import CXenABI

/// The window.
public enum Window {
  private static var base: UInt64 { 0x80_0000_0000 }
  private static var pageLimit: UInt64 { 1 << 26 }

  // SAFETY: one vcpu, and nothing runs in the upcall.
  nonisolated(unsafe) private static var used: UInt64 = 0
  /// Runs that were given back, by their length.
  nonisolated(unsafe) private static var free: [Int: [UInt64]] = [:]

  /// Addresses of so many pages, with page tables for them and nothing mapped.
  public static func take(_ count: Int) -> UInt64? {
    if let address = free[count]?.popLast() { return address }
    guard UInt64(count) <= pageLimit - used else { return nil }
    let address = base + used << 12
    used += UInt64(count)
    var page = address
    while page < address + UInt64(count) << 12 {
      guard PageTables.prepare(page) else { return nil }
      page = (page | 0x1f_ffff) + 1
    }
    return address
  }

  /// Gives addresses back, which map nothing any more.
  public static func give(_ address: UInt64, count: Int) {
    free[count, default: []].append(address)
  }

  /// Maps consecutive machine memory of an owner: `DOMID_IO` for a device's.
  public static func map(machine: UInt64, count: Int, owner: UInt16) -> UInt64? {
    guard let address = take(count) else { return nil }
    // Devices' registers are never cached: write-through and cache-disable.
    let flags = PageTables.writable | (owner == UInt16(DOMID_IO) ? 0x18 : 0)
    for page in 0..<UInt64(count) {
      let result = HYPERVISOR_update_va_mapping_otherdomain(
        UInt(address + page << 12), (machine & ~0xfff) + page << 12 | flags, UInt(UVMF_INVLPG),
        owner)
      guard result == 0 else {
        unmap(address, count: count)
        return nil
      }
    }
    return address + machine & 0xfff
  }

  /// Maps the registers of a device.
  public static func mapDevice(machine: UInt64, byteCount: UInt64) -> UInt64? {
    let pages = (machine & 0xfff + byteCount + 0xfff) >> 12
    return map(machine: machine, count: Int(pages), owner: UInt16(DOMID_IO))
  }

  /// Ends a mapping.
  public static func unmap(_ address: UInt64, count: Int) {
    for page in 0..<UInt64(count) { _ = PageTables.set(address & ~0xfff + page << 12, to: 0) }
    give(address & ~0xfff, count: count)
  }
}
