// Frames as a guest's network stack makes them, and a second, slower way to check their sums.

public import ControlCore

/// Makes Ethernet frames.
public enum FrameMaker {
  /// An Ethernet header: to, from, type.
  public static func ethernet(_ to: UInt64, _ from: UInt64, type: UInt16 = 0x88b5) -> Bytes {
    var frame: Bytes = []
    for address in [to, from] {
      for shift in stride(from: 40, through: 0, by: -8) {
        frame.append(UInt8(address >> UInt64(shift) & 0xff))
      }
    }
    return frame + [UInt8(type >> 8), UInt8(type & 0xff)]
  }

  /// A frame of a protocol without meaning.
  public static func plain(_ to: UInt64, _ from: UInt64, count: Int = 60) -> Bytes {
    ethernet(to, from) + (0..<(count - 14)).map { UInt8(truncatingIfNeeded: $0) }
  }

  private static func word(_ value: Int) -> Bytes {
    [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
  }

  /// A TCP or UDP frame, its transport checksum left out.
  public static func transport(
    _ to: UInt64, _ from: UInt64, payload: Bytes, isIPv6: Bool = false, isTCP: Bool = true,
    port: Int = 80, flags: UInt8 = 0x18
  ) -> Bytes {
    var inner = word(1234) + word(port)
    if isTCP {
      inner += [0, 0, 0x10, 0] + [0, 0, 0, 1] + [0x50, flags] + word(4096) + [0, 0, 0, 0]
    } else {
      inner += word(8 + payload.count) + [0, 0]
    }
    inner += payload
    if isIPv6 {
      let header = [0x60, 0, 0, 0] + word(inner.count) + [isTCP ? 6 : 17, 64]
      let addresses = (0..<32).map { UInt8($0 + 1) }
      return ethernet(to, from, type: 0x86dd) + header + addresses + inner
    }
    var header: Bytes = [0x45, 0] + word(20 + inner.count) + word(77) + [0, 0, 64, isTCP ? 6 : 17]
    header += [0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    let sum = ~fold(header)
    header[10] = UInt8(sum >> 8)
    header[11] = UInt8(sum & 0xff)
    return ethernet(to, from, type: 0x0800) + header + inner
  }

  /// The ones' complement sum of words.
  public static func fold(_ bytes: Bytes) -> UInt16 {
    var sum: UInt64 = 0
    for (index, byte) in bytes.enumerated() { sum += UInt64(byte) << (index % 2 == 0 ? 8 : 0) }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return UInt16(sum)
  }

  /// Whether a frame's IP and transport checksums are right, without a tag or options.
  public static func isSound(_ frame: Bytes) -> Bool {
    let isIPv6 = frame[12] == 0x86
    let start = isIPv6 ? 54 : 34
    let number = isIPv6 ? frame[20] : frame[23]
    let addresses = isIPv6 ? frame[22..<54] : frame[26..<34]
    if !isIPv6, fold(Bytes(frame[14..<34])) != 0xffff { return false }
    let length =
      isIPv6 ? Int(frame[18]) << 8 + Int(frame[19]) : Int(frame[16]) << 8 + Int(frame[17]) - 20
    let inner = Bytes(frame[start..<(start + length)])
    return fold(Bytes(addresses) + [0, number] + word(length) + inner) == 0xffff
  }
}
