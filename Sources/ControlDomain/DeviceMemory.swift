// A run of a device's registers in memory, mapped into the window.

internal import CGuest
import GuestRuntime

/// Registers of a device.
struct DeviceMemory {
  private let address: UInt64
  private let byteCount: UInt64

  /// Maps what a virtio capability describes: VIRTIO 1.1, 4.1.4.
  init?(_ function: PCIFunction, _ capability: UInt8) {
    guard capability != 0,
      case .memory(let base) = function.base(Int(function.read8(capability + 4)))
    else { return nil }
    byteCount = UInt64(function.read32(capability + 12))
    let start = base + UInt64(function.read32(capability + 8))
    guard byteCount > 0, byteCount <= 1 << 20,
      let place = Window.mapDevice(machine: start, byteCount: byteCount)
    else { return nil }
    address = place
  }

  /// The address of a register, which the device may have put anywhere.
  private func place(_ offset: UInt64, _ width: UInt64) -> UInt64 {
    precondition(offset + width <= byteCount, "A register outside the device")
    return address + offset
  }

  // SAFETY: `place` is inside the mapping, which stays.
  func read8(_ offset: UInt64) -> UInt8 { guest_load8(place(offset, 1)) }
  func read16(_ offset: UInt64) -> UInt16 { guest_load16(place(offset, 2)) }
  func read32(_ offset: UInt64) -> UInt32 { guest_load32(place(offset, 4)) }
  func write8(_ offset: UInt64, _ value: UInt8) { guest_store8(place(offset, 1), value) }
  func write16(_ offset: UInt64, _ value: UInt16) { guest_store16(place(offset, 2), value) }
  func write32(_ offset: UInt64, _ value: UInt32) { guest_store32(place(offset, 4), value) }
}
