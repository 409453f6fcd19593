// Registers in ports, of devices before version 1: VIRTIO 1.1, 4.1.4.8.

import GuestRuntime

/// A device of the legacy form.
///
/// A queue is named by one page number, so its memory lies in consecutive frames.
final class LegacyTransport: VirtioTransport {
  private let port: UInt16

  private enum Register {
    static let deviceFeatures: UInt16 = 0
    static let driverFeatures: UInt16 = 4
    static let queueAddress: UInt16 = 8
    static let queueSize: UInt16 = 12
    static let queueSelect: UInt16 = 14
    static let queueNotify: UInt16 = 16
    static let status: UInt16 = 18
    static let interrupt: UInt16 = 19
    /// The device's own, as long as MSI-X is off.
    static let configuration: UInt16 = 20
  }

  init?(reaching function: PCIFunction) {
    guard case .ports(let port) = function.base(0) else { return nil }
    self.port = port
    super.init(function)
  }

  override var status: UInt8 {
    get { Ports.read8(port + Register.status) }
    set { Ports.write8(port + Register.status, newValue) }
  }
  override var deviceFeatures: UInt64 { UInt64(Ports.read32(port + Register.deviceFeatures)) }
  override func accept(_ features: UInt64) {
    Ports.write32(port + Register.driverFeatures, UInt32(truncatingIfNeeded: features))
  }
  override func queueSize(_ index: UInt16) -> UInt16 {
    Ports.write16(port + Register.queueSelect, index)
    return Ports.read16(port + Register.queueSize)
  }
  override func enable(_ queue: VirtQueue, _ index: UInt16) {
    Ports.write16(port + Register.queueSelect, index)
    Ports.write32(
      port + Register.queueAddress, UInt32(truncatingIfNeeded: queue.descriptorAddress >> 12))
  }
  override func notify(_ index: UInt16) { Ports.write16(port + Register.queueNotify, index) }
  override func configuration8(_ offset: Int) -> UInt8 {
    Ports.read8(port + Register.configuration + UInt16(offset))
  }
  override func takeInterrupt() -> Bool { Ports.read8(port + Register.interrupt) != 0 }
}
