// The Internet checksum (RFC 1071), for packets whose sender left it to us and whose receiver does
// not want to compute it.

/// Sums of 16-bit words in ones' complement.
enum Checksum {
  /// The sum of a range, not folded yet; a last single byte counts as the high one of a word.
  ///
  /// No packet is long enough to overflow it.
  static func sum(_ bytes: Bytes, _ range: Range<Int>) -> UInt32 {
    var total: UInt32 = 0
    var place = range.lowerBound
    bytes.withUnsafeBytes { raw in
      // SAFETY: the caller's range lies in the array; a subscript checks it again.
      while place + 1 < range.upperBound {
        total &+= UInt32(raw[place]) << 8 | UInt32(raw[place + 1])
        place += 2
      }
      if place < range.upperBound { total &+= UInt32(raw[place]) << 8 }
    }
    return total
  }

  /// The checksum of a sum.
  static func fold(_ sum: UInt32) -> UInt16 {
    var rest = sum
    while rest >> 16 != 0 { rest = rest & 0xffff &+ rest >> 16 }
    return ~UInt16(truncatingIfNeeded: rest)
  }

  /// Computes the checksum of an IPv4 header.
  static func fillNetwork(_ bytes: inout Bytes, _ header: TransportHeader) {
    guard !header.isIPv6 else { return }
    bytes.store(0, at: header.network + 10)
    let value = fold(
      sum(bytes, header.network..<header.network + Int(bytes[header.network] & 0xf) * 4))
    bytes.store(value, at: header.network + 10)
  }

  /// Computes a TCP or UDP checksum from nothing: what the sender left in its place is not trusted.
  static func fillTransport(_ bytes: inout Bytes, _ header: TransportHeader) {
    bytes.store(0, at: header.checksum)
    var value = fold(
      header.pseudoHeaderSum(bytes) &+ sum(bytes, header.transport..<header.end))
    // UDP means "none" by 0 (RFC 768).
    if !header.isTCP, value == 0 { value = 0xffff }
    bytes.store(value, at: header.checksum)
  }

  /// Leaves a TCP or UDP checksum to the receiver: its place holds the pseudo-header's sum.
  static func blankTransport(_ bytes: inout Bytes, _ header: TransportHeader) {
    bytes.store(~fold(header.pseudoHeaderSum(bytes)), at: header.checksum)
  }
}
