// Addresses of Ethernet.

/// The address of a network card.
public struct MACAddress: Hashable, Sendable {
  /// Six bytes, the first of them highest.
  public let rawValue: UInt64

  /// An address by its number.
  public init(_ rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

  /// The address at a place of a packet, which must hold six bytes there.
  init(_ bytes: Bytes, at start: Int) {
    var value: UInt64 = 0
    for index in start..<start + 6 { value = value << 8 | UInt64(bytes[index]) }
    rawValue = value
  }

  /// Reads six hexadecimal bytes with colons, as the key `mac` has them.
  public init?(_ text: Bytes) {
    guard text.count == 17 else { return nil }
    var value: UInt64 = 0
    for (index, byte) in text.enumerated() {
      if index % 3 == 2 {
        guard byte == UInt8(ascii: ":") else { return nil }
        continue
      }
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      value = value << 4 | UInt64(digit)
    }
    rawValue = value
  }

  /// To everybody.
  public static var broadcast: MACAddress { MACAddress(0xffff_ffff_ffff) }

  /// Whether it names a group: the lowest bit of the first byte (IEEE 802-2014, 8.2).
  public var isGroup: Bool { rawValue >> 40 & 1 != 0 }

  /// Whether it belongs to the protocols between bridges, which a bridge does not pass on (IEEE
  /// 802.1D-2004, table 7-10).
  var isReserved: Bool { rawValue & ~0xf == 0x0180_c200_0000 }
}
