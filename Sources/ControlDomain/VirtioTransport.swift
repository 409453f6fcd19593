// How a virtio device is reached: Virtual I/O Device (VIRTIO) 1.1, 2.1 (status), 4.1 (PCI). The
// modern form has registers in memory, the legacy one in ports; the drivers see neither.

import GuestRuntime

/// Bits of the device status.
enum VirtioStatus {
  static let acknowledge: UInt8 = 1
  static let driver: UInt8 = 2
  static let driverOK: UInt8 = 4
  static let featuresOK: UInt8 = 8
  static let failed: UInt8 = 128
}

/// Features that are no device's own.
enum VirtioFeature {
  static let anyLayout: UInt64 = 1 << 27
  static let indirect: UInt64 = 1 << 28
  static let version1: UInt64 = 1 << 32
}

/// One device, by its registers.
class VirtioTransport {
  let function: PCIFunction
  let interruptLine: UInt8
  init(_ function: PCIFunction) {
    self.function = function
    interruptLine = function.interruptLine
  }

  /// Whether the device speaks the form before 1.0.
  var isLegacy: Bool { true }
  var status: UInt8 {
    get { 0 }
    set {}
  }
  var deviceFeatures: UInt64 { 0 }
  func accept(_ features: UInt64) {}
  /// Entries that the device has in a queue; 0 where there is no such queue.
  func queueSize(_ index: UInt16) -> UInt16 { 0 }
  /// Gives the device the memory of a queue.
  func enable(_ queue: VirtQueue, _ index: UInt16) {}
  /// Tells the device to look at a queue.
  func notify(_ index: UInt16) {}
  /// A byte of the device's own configuration.
  func configuration8(_ offset: Int) -> UInt8 { 0 }
  /// Whether the device has asked for attention; reading it takes the request back.
  func takeInterrupt() -> Bool { false }

  final func configuration(_ offset: Int, byteCount: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<byteCount {
      value |= UInt64(configuration8(offset + index)) << UInt64(index * 8)
    }
    return value
  }

  /// Resets the device and agrees on features; `nil` where it refuses them.
  final func negotiate(_ wanted: UInt64) -> UInt64? {
    status = 0
    while status != 0 {}
    status = VirtioStatus.acknowledge
    status = VirtioStatus.acknowledge | VirtioStatus.driver
    let always =
      VirtioFeature.indirect | (isLegacy ? VirtioFeature.anyLayout : VirtioFeature.version1)
    let features = deviceFeatures & (wanted | always)
    accept(features)
    guard features & VirtioFeature.indirect != 0 else { return nil }
    if isLegacy { return features }
    guard features & VirtioFeature.version1 != 0 else { return nil }
    status = VirtioStatus.acknowledge | VirtioStatus.driver | VirtioStatus.featuresOK
    return status & VirtioStatus.featuresOK != 0 ? features : nil
  }

  /// Makes a queue of at most so many entries, which the device then knows.
  final func makeQueue(_ index: UInt16, limit: UInt16) -> VirtQueue? {
    let size = queueSize(index)
    // A legacy queue has the size that the device says.
    guard size != 0, let queue = VirtQueue(size: isLegacy ? size : min(size, limit), self, index)
    else { return nil }
    enable(queue, index)
    return queue
  }

  final func start() { status |= VirtioStatus.driverOK }

  /// The transport of a function; `nil` where neither form can be reached.
  static func find(_ function: PCIFunction) -> VirtioTransport? {
    function.enable()
    return ModernTransport(reaching: function) ?? LegacyTransport(reaching: function)
  }
}
