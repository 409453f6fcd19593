// Guests' memory, read and written through the address space in force. A guest chooses the
// addresses, so every range is checked against the hole first, and a fault is an answer.

import CMachine
import HypervisorCore

/// Access to the running guest's memory.
enum GuestMemory {
  /// Whether a range of canonical addresses outside the hole is the guest's that runs.
  ///
  /// A 32-bit one has the hypervisor's part at the end of its 4 GiB. What lies above is none of its
  /// addresses, but the hypervisor's own page for arguments.
  @inline(__always)
  private static func isOwn(_ address: GuestVirtualAddress, _ count: UInt64) -> Bool {
    let end = xg_this_cpu().pointee.compat_end
    if end == 0 { return true }
    return address.value >> 32 != 0 || address.value &+ count <= end
  }

  /// Copies in; false if any byte cannot be read.
  ///
  /// A guest could aim at the hypervisor's own memory, wrap its range round the end of the
  /// address space, or unmap the page meanwhile.
  static func read(
    _ to: UnsafeMutableRawPointer, from: GuestVirtualAddress, count: Int
  ) -> Bool {
    guard from.isGuestRange(byteCount: UInt64(count)), isOwn(from, UInt64(count)) else {
      return false
    }
    // SAFETY: the range lies outside the hole, and xg_guarded_copy survives its absence.
    return xg_guarded_copy(UInt64(UInt(bitPattern: to)), from.value, UInt64(count)) == 0
  }

  /// Copies out; false if any byte cannot be written.
  ///
  /// Bytes before it may have been.
  static func write(
    _ from: UnsafeRawPointer, to: GuestVirtualAddress, count: Int
  ) -> Bool {
    guard to.isGuestRange(byteCount: UInt64(count)), isOwn(to, UInt64(count)) else { return false }
    // SAFETY: as for reading. CR0.WP makes a page that the guest may not write fault here too.
    return xg_guarded_copy(to.value, UInt64(UInt(bitPattern: from)), UInt64(count)) == 0
  }

  /// Reads one value; `nil` if the guest has not mapped it.
  static func load<T: BitwiseCopyable>(_ initial: T, from: GuestVirtualAddress) -> T? {
    var value = initial
    let isRead = withUnsafeMutableBytes(of: &value) { bytes in
      guard let base = bytes.baseAddress else { return false }
      return read(base, from: from, count: bytes.count)
    }
    return isRead ? value : nil
  }

  /// Reads 32 bits; `nil` if the guest has not mapped them.
  @inline(__always)
  static func load32(from: GuestVirtualAddress) -> UInt32? {
    guard from.isGuestRange(byteCount: 4), isOwn(from, 4) else { return nil }
    // SAFETY: the range lies outside the hole, and xg_guarded_load_32 survives its absence.
    let loaded = xg_guarded_load_32(from.value)
    return loaded.failed == 0 ? UInt32(truncatingIfNeeded: loaded.value) : nil
  }

  /// Reads 64 bits likewise.
  @inline(__always)
  static func load64(from: GuestVirtualAddress) -> UInt64? {
    guard from.isGuestRange(byteCount: 8), isOwn(from, 8) else { return nil }
    // SAFETY: as above.
    let loaded = xg_guarded_load_64(from.value)
    return loaded.failed == 0 ? loaded.value : nil
  }

  /// Writes one value.
  static func store<T: BitwiseCopyable>(_ value: T, to: GuestVirtualAddress) -> Bool {
    withUnsafeBytes(of: value) { bytes in
      guard let base = bytes.baseAddress else { return false }
      return write(base, to: to, count: bytes.count)
    }
  }
}
