// I/O ports, which a privileged kernel may use once it has the I/O privilege level.

internal import CGuest
internal import CXenABI

/// I/O ports.
public enum Ports {
  /// Asks for the privilege; false where it is refused.
  public static func enable() -> Bool {
    var request = physdev_set_iopl()
    request.iopl = 1
    return HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &request) == 0
  }

  /// Reads a byte.
  public static func read8(_ port: UInt16) -> UInt8 { guest_in8(port) }
  /// Reads two bytes.
  public static func read16(_ port: UInt16) -> UInt16 { guest_in16(port) }
  /// Reads four bytes.
  public static func read32(_ port: UInt16) -> UInt32 { guest_in32(port) }
  /// Writes a byte.
  public static func write8(_ port: UInt16, _ value: UInt8) { guest_out8(port, value) }
  /// Writes two bytes.
  public static func write16(_ port: UInt16, _ value: UInt16) { guest_out16(port, value) }
  /// Writes four bytes.
  public static func write32(_ port: UInt16, _ value: UInt32) { guest_out32(port, value) }
}
