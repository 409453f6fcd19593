// A network interface: VIRTIO 1.1, 5.1. Frames are copied into and out of buffers of 2 KiB that the
// device knows for good; in front of each frame is the device's header, all zero while no offload
// is agreed on.

import GuestRuntime

/// A network interface of the machine.
package final class VirtioNetwork {
  private enum Feature {
    static let address: UInt64 = 1 << 5
  }
  private static let bufferSize = 2048
  private static let bufferLimit: UInt16 = 128
  private static let receiving: UInt16 = 0
  private static let sending: UInt16 = 1
  private let transport: VirtioTransport
  private let incoming: VirtQueue
  private let outgoing: VirtQueue
  private var incomingBuffers: [UnsafeMutableRawPointer] = []
  private var outgoingBuffers: [UnsafeMutableRawPointer] = []
  private var freeBuffers: [UInt16] = []
  /// Frames since the device was told last.
  private var isSendPending = false

  /// The address that the device has.
  package let address: [UInt8]
  var isLegacy: Bool { transport.isLegacy }
  /// Bytes of the longest frame, without checksum.
  var frameLimit: Int { Self.bufferSize - headerSize }
  private var headerSize: Int { transport.isLegacy ? 10 : 12 }

  /// Called for each frame that comes in; its memory is the device's again afterwards.
  package var onFrame: (UnsafeRawBufferPointer) -> Void = { _ in }

  init?(_ transport: VirtioTransport) {
    guard let features = transport.negotiate(Feature.address),
      let incoming = transport.makeQueue(Self.receiving, limit: Self.bufferLimit),
      let outgoing = transport.makeQueue(Self.sending, limit: Self.bufferLimit)
    else { return nil }
    self.transport = transport
    self.incoming = incoming
    self.outgoing = outgoing
    var address: [UInt8] = [0x02, 0, 0, 0, 0, UInt8(truncatingIfNeeded: transport.function.place)]
    if features & Feature.address != 0 {
      for index in 0..<6 { address[index] = transport.configuration8(index) }
    }
    self.address = address
    incomingBuffers = Self.makeBuffers(min(Self.bufferLimit, incoming.size))
    outgoingBuffers = Self.makeBuffers(min(Self.bufferLimit, outgoing.size))
    guard !incomingBuffers.isEmpty, !outgoingBuffers.isEmpty else { return nil }
    for number in 0..<UInt16(outgoingBuffers.count) { freeBuffers.append(number) }
    transport.start()
    for number in 0..<UInt16(incomingBuffers.count) { offer(number) }
    incoming.publish()
  }

  private static func makeBuffers(_ count: UInt16) -> [UnsafeMutableRawPointer] {
    var buffers: [UnsafeMutableRawPointer] = []
    while buffers.count + 1 < Int(count), let page = Memory.takePages(1) {
      buffers.append(page)
      buffers.append(page + bufferSize)
    }
    return buffers
  }

  /// Gives a buffer to the device to receive into.
  private func offer(_ number: UInt16) {
    incoming.describe(
      number, address: Memory.machineAddress(of: incomingBuffers[Int(number)]),
      count: UInt32(Self.bufferSize), flags: DescriptorFlag.deviceWrites)
    incoming.submit(number)
  }

  /// Sends a frame, which `fill` writes into a buffer; false where there is no room at the moment.
  ///
  /// The device is told at the next `flush`.
  package func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> Bool {
    guard count <= frameLimit else { return false }
    if freeBuffers.isEmpty { reclaim() }
    guard let number = freeBuffers.popLast() else { return false }
    let buffer = outgoingBuffers[Int(number)]
    buffer.initializeMemory(as: UInt8.self, repeating: 0, count: headerSize)
    fill(buffer + headerSize)
    outgoing.describe(
      number, address: Memory.machineAddress(of: buffer), count: UInt32(headerSize + count),
      flags: 0)
    outgoing.submit(number)
    isSendPending = true
    return true
  }

  /// Tells the device of what was sent.
  func flush() {
    guard isSendPending else { return }
    isSendPending = false
    outgoing.publish()
  }

  /// Asks for interrupts at the next frame, and at room for one where there is none; answers whether
  /// either is there already.
  func wait() -> Bool {
    if incoming.wait() { return true }
    return freeBuffers.isEmpty && outgoing.wait()
  }

  private func reclaim() {
    while let used = outgoing.takeUsed() {
      if Int(used.number) < outgoingBuffers.count { freeBuffers.append(used.number) }
    }
  }

  /// Hands over every frame that came in; answers whether there was anything.
  func collect() -> Bool {
    incoming.stopInterrupts()
    outgoing.stopInterrupts()
    let wasFull = freeBuffers.isEmpty
    reclaim()
    guard incoming.hasUsed else { return wasFull && !freeBuffers.isEmpty }
    while let used = incoming.takeUsed() {
      guard Int(used.number) < incomingBuffers.count else { continue }
      let count = min(Int(used.count), Self.bufferSize)
      if count > headerSize {
        onFrame(
          UnsafeRawBufferPointer(
            start: incomingBuffers[Int(used.number)] + headerSize, count: count - headerSize))
      }
      offer(used.number)
    }
    incoming.publish()
    return true
  }
}
