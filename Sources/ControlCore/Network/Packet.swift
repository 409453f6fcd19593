// An Ethernet frame and what has been put off for it.

/// A large TCP segment that is to be cut.
public struct LargeSegment: Equatable, Sendable {
  /// Payload of each piece.
  public var size: UInt16
  /// Over IPv6, not IPv4.
  public var isIPv6: Bool

  /// A segment to be cut into pieces of a size.
  public init(size: UInt16, isIPv6: Bool) {
    self.size = size
    self.isIPv6 = isIPv6
  }
}

/// A frame on its way through the bridge.
public struct Packet: Sendable {
  /// Destination, source, type, payload; at least ``headerSize`` bytes.
  public internal(set) var bytes: Bytes
  /// The TCP or UDP checksum is still to be computed.
  public var isChecksumBlank = false
  /// The sender vouches for the data.
  public var isValidated = false
  /// It is larger than a frame can be, and to be cut before it leaves the machine.
  public var segment: LargeSegment?

  /// Bytes of an Ethernet header.
  public static var headerSize: Int { 14 }

  /// A frame; `nil` where the bytes hold no header.
  public init?(_ bytes: Bytes) {
    guard bytes.count >= Self.headerSize else { return nil }
    self.bytes = bytes
  }

  /// Where it goes.
  public var destination: MACAddress { MACAddress(bytes, at: 0) }
  /// Where it comes from.
  public var source: MACAddress { MACAddress(bytes, at: 6) }
}

extension Array where Element == UInt8 {
  /// Two bytes, high one first.
  func word(at place: Int) -> UInt16 { UInt16(self[place]) << 8 | UInt16(self[place + 1]) }

  /// Replaces two bytes, high one first.
  mutating func store(_ value: UInt16, at place: Int) {
    self[place] = UInt8(value >> 8)
    self[place + 1] = UInt8(value & 0xff)
  }

  /// Four bytes, high one first.
  func long(at place: Int) -> UInt32 { UInt32(word(at: place)) << 16 | UInt32(word(at: place + 2)) }
}
