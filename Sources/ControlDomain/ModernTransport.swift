// Registers in memory, found by vendor capabilities: VIRTIO 1.1, 4.1.4.

import GuestRuntime

/// A device of version 1.
final class ModernTransport: VirtioTransport {
  private let common: DeviceMemory
  private let notification: DeviceMemory
  private let interrupt: DeviceMemory
  private let device: DeviceMemory
  private let notifyStride: UInt64
  /// Where each queue is notified.
  private var notifyOffsets: [UInt64] = []

  private enum Register {
    static let deviceFeatureSelect: UInt64 = 0
    static let deviceFeature: UInt64 = 4
    static let driverFeatureSelect: UInt64 = 8
    static let driverFeature: UInt64 = 12
    static let configurationVector: UInt64 = 16
    static let status: UInt64 = 20
    static let queueSelect: UInt64 = 22
    static let queueSize: UInt64 = 24
    static let queueVector: UInt64 = 26
    static let queueEnable: UInt64 = 28
    static let queueNotifyOffset: UInt64 = 30
    static let queueDescriptors: UInt64 = 32
    static let queueDriver: UInt64 = 40
    static let queueDevice: UInt64 = 48
  }

  init?(reaching function: PCIFunction) {
    // The first capability of each type counts.
    var places: [UInt8] = [0, 0, 0, 0, 0]
    function.visitCapabilities(9) { offset in
      let type = Int(function.read8(offset + 3))
      if type >= 1, type <= 4, places[type] == 0 { places[type] = offset }
    }
    guard let common = DeviceMemory(function, places[1]),
      let notification = DeviceMemory(function, places[2]),
      let interrupt = DeviceMemory(function, places[3]),
      let device = DeviceMemory(function, places[4])
    else { return nil }
    self.common = common
    self.notification = notification
    self.interrupt = interrupt
    self.device = device
    notifyStride = UInt64(function.read32(places[2] + 16))
    super.init(function)
  }

  override var isLegacy: Bool { false }
  override var status: UInt8 {
    get { common.read8(Register.status) }
    set { common.write8(Register.status, newValue) }
  }

  override var deviceFeatures: UInt64 {
    common.write32(Register.deviceFeatureSelect, 0)
    let low = common.read32(Register.deviceFeature)
    common.write32(Register.deviceFeatureSelect, 1)
    return UInt64(common.read32(Register.deviceFeature)) << 32 | UInt64(low)
  }

  override func accept(_ features: UInt64) {
    common.write32(Register.driverFeatureSelect, 0)
    common.write32(Register.driverFeature, UInt32(truncatingIfNeeded: features))
    common.write32(Register.driverFeatureSelect, 1)
    common.write32(Register.driverFeature, UInt32(truncatingIfNeeded: features >> 32))
  }

  override func queueSize(_ index: UInt16) -> UInt16 {
    common.write16(Register.queueSelect, index)
    return common.read16(Register.queueSize)
  }

  override func enable(_ queue: VirtQueue, _ index: UInt16) {
    common.write16(Register.queueSelect, index)
    common.write16(Register.queueSize, queue.size)
    write64(Register.queueDescriptors, queue.descriptorAddress)
    write64(Register.queueDriver, queue.availableAddress)
    write64(Register.queueDevice, queue.usedAddress)
    while notifyOffsets.count <= Int(index) { notifyOffsets.append(0) }
    notifyOffsets[Int(index)] = UInt64(common.read16(Register.queueNotifyOffset)) * notifyStride
    common.write16(Register.queueEnable, 1)
  }

  private func write64(_ register: UInt64, _ value: UInt64) {
    common.write32(register, UInt32(truncatingIfNeeded: value))
    common.write32(register + 4, UInt32(truncatingIfNeeded: value >> 32))
  }

  override func notify(_ index: UInt16) { notification.write16(notifyOffsets[Int(index)], index) }
  override func configuration8(_ offset: Int) -> UInt8 { device.read8(UInt64(offset)) }
  override func takeInterrupt() -> Bool { interrupt.read8(0) != 0 }
}
