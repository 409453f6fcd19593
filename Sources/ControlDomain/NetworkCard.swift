// A network interface of the machine as a port of the bridge.

import ControlCore
import GuestRuntime

/// The way out of the machine.
final class NetworkCard: NetworkPort {
  private let driver: VirtioNetwork

  init(_ driver: VirtioNetwork, _ bridge: Bridge) {
    self.driver = driver
    super.init(offloads: PortOffloads())
    driver.onFrame = { [self] frame in
      guard let packet = Packet(Bytes(frame)) else { return }
      bridge.forward(packet, from: self, now: Clock.now)
    }
    bridge.attach(self)
  }

  override func send(_ packet: Packet) -> Bool {
    driver.send(packet.bytes.count) { place in
      packet.bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        // SAFETY: the driver has checked the count against its buffer.
        place.copyMemory(from: base, byteCount: bytes.count)
      }
    }
  }
}
