// What hangs on the bridge: a guest's interface or the machine's network card.

/// What a port can be given.
public struct PortOffloads: Equatable, Sendable {
  /// Largest frame, Ethernet header and tag included; large segments may exceed it.
  public var largestFrame = 1518
  /// TCP and UDP checksums over IPv4 may be missing.
  public var checksumIPv4 = false
  /// And over IPv6.
  public var checksumIPv6 = false
  /// Large TCP segments over IPv4.
  public var segmentsIPv4 = false
  /// And over IPv6.
  public var segmentsIPv6 = false

  /// Nothing but plain frames.
  public init() {}
}

/// A port of a bridge.
///
/// Its kinds override ``send(_:)``.
open class NetworkPort {
  /// What it can be given.
  public internal(set) var offloads: PortOffloads
  /// Its place in the bridge.
  var number = -1
  /// Frames that could not be sent.
  public internal(set) var dropped: UInt64 = 0

  /// A port.
  public init(offloads: PortOffloads) { self.offloads = offloads }

  /// Whether frames for a group are wanted.
  open func wants(group: MACAddress) -> Bool { true }

  /// Sends a frame that is as the offloads allow; false where there is no room.
  open func send(_ packet: Packet) -> Bool { false }

  /// Makes of a frame what the port can take, and sends that.
  final func give(_ packet: Packet) {
    guard let segment = packet.segment else {
      giveFrame(packet)
      return
    }
    if segment.isIPv6 ? offloads.segmentsIPv6 : offloads.segmentsIPv4 {
      if !send(packet) { dropped += 1 }
      return
    }
    let frames = packet.cut()
    if frames.isEmpty { dropped += 1 }
    for frame in frames { giveFrame(frame) }
  }
  private func giveFrame(_ packet: Packet) {
    var frame = packet
    if frame.isChecksumBlank {
      let isIPv6 = TransportHeader(frame.bytes)?.isIPv6 ?? false
      if !(isIPv6 ? offloads.checksumIPv6 : offloads.checksumIPv4), !frame.fillChecksum() {
        dropped += 1
        return
      }
    }
    guard frame.bytes.count <= offloads.largestFrame, send(frame) else {
      dropped += 1
      return
    }
  }
}
