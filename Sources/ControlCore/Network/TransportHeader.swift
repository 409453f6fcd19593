// Where a frame's IP and TCP or UDP headers lie. The frame is a guest's: every length in it is
// compared with what is there before it is used.
//
//   | Ethernet | (802.1Q tag) | IPv4 or IPv6 (extensions) | TCP or UDP | payload |
//              type           network                     transport    payload   end

/// The headers of a TCP or UDP frame.
struct TransportHeader {
  let isIPv6: Bool
  let isTCP: Bool
  let network: Int
  let transport: Int
  /// Where the payload begins.
  let payload: Int
  /// Where the packet ends by its IP header; padding may follow.
  let end: Int

  /// Where the checksum stands (RFC 793, RFC 768).
  var checksum: Int { transport + (isTCP ? 16 : 6) }
  /// TCP's number in an IP header is 6, UDP's 17.
  var protocolNumber: UInt8 { isTCP ? 6 : 17 }

  /// Finds the headers; `nil` where the frame is none of TCP or UDP, or a fragment, or cut off.
  init?(_ bytes: Bytes) {
    guard bytes.count >= Packet.headerSize else { return nil }
    var place = 12
    if bytes.word(at: place) == 0x8100 {
      guard bytes.count >= 18 else { return nil }
      place += 4
    }
    let type = bytes.word(at: place)
    network = place + 2
    var next: UInt8
    if type == 0x0800 {
      guard bytes.count >= network + 20, bytes[network] >> 4 == 4 else { return nil }
      let header = Int(bytes[network] & 0xf) * 4
      let total = Int(bytes.word(at: network + 2))
      // A later fragment has no transport header, and none has its whole checksum.
      guard header >= 20, total >= header, network + total <= bytes.count,
        bytes.word(at: network + 6) & 0x3fff == 0
      else { return nil }
      isIPv6 = false
      next = bytes[network + 9]
      transport = network + header
      end = network + total
    } else if type == 0x86dd {
      guard bytes.count >= network + 40, bytes[network] >> 4 == 6 else { return nil }
      end = network + 40 + Int(bytes.word(at: network + 4))
      guard end <= bytes.count else { return nil }
      isIPv6 = true
      next = bytes[network + 6]
      var start = network + 40
      // Hop-by-hop, routing and destination options (RFC 8200, 4); a few of them are enough.
      for _ in 0..<8 where next == 0 || next == 43 || next == 60 {
        guard start + 8 <= end else { return nil }
        next = bytes[start]
        start += 8 + Int(bytes[start + 1]) * 8
      }
      transport = start
    } else {
      return nil
    }
    switch next {
    case 6:
      guard transport + 20 <= end else { return nil }
      let header = Int(bytes[transport + 12] >> 4) * 4
      guard header >= 20, transport + header <= end else { return nil }
      isTCP = true
      payload = transport + header
    case 17:
      guard transport + 8 <= end else { return nil }
      isTCP = false
      payload = transport + 8
    default:
      return nil
    }
  }

  /// Sum over the addresses, the protocol and the length, as the checksum covers them.
  func pseudoHeaderSum(_ bytes: Bytes) -> UInt32 {
    let addresses = isIPv6 ? network + 8..<network + 40 : network + 12..<network + 20
    let length = UInt32(truncatingIfNeeded: end - transport)
    return Checksum.sum(bytes, addresses) &+ UInt32(protocolNumber) &+ length
  }
}
