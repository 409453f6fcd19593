// Cuts a large TCP segment into frames, for receivers that take none.

extension Packet {
  /// The smallest piece; a guest that asks for less would have us make a thousand frames of one.
  private static var leastPiece: Int { 256 }

  /// The frames of a large segment, or itself; empty where it is not what it claims to be.
  func cut() -> [Packet] {
    guard let segment else { return [self] }
    guard let header = TransportHeader(bytes), header.isTCP, header.isIPv6 == segment.isIPv6
    else { return [] }
    let piece = max(Int(segment.size), Self.leastPiece)
    var frames: [Packet] = []
    var place = header.payload
    repeat {
      let next = min(place + piece, header.end)
      if let frame = frame(place..<next, header, number: frames.count) { frames.append(frame) }
      place = next
    } while place < header.end
    return frames
  }

  /// One frame with a part of the payload.
  private func frame(_ part: Range<Int>, _ header: TransportHeader, number: Int) -> Packet? {
    var frame = Bytes(bytes[..<header.payload])
    frame.append(contentsOf: bytes[part])
    let network = header.network
    if header.isIPv6 {
      frame.store(UInt16(truncatingIfNeeded: frame.count - network - 40), at: network + 4)
    } else {
      frame.store(UInt16(truncatingIfNeeded: frame.count - network), at: network + 2)
      let identification = bytes.word(at: network + 4) &+ UInt16(truncatingIfNeeded: number)
      frame.store(identification, at: network + 4)
    }
    let sequence =
      bytes.long(at: header.transport + 4)
      &+ UInt32(truncatingIfNeeded: part.lowerBound - header.payload)
    frame.store(UInt16(sequence >> 16), at: header.transport + 4)
    frame.store(UInt16(sequence & 0xffff), at: header.transport + 6)
    // FIN and PSH belong to the last frame, CWR to the first (RFC 3168, 6.1.2).
    if part.upperBound < header.end { frame[header.transport + 13] &= ~0x09 }
    if number > 0 { frame[header.transport + 13] &= ~0x80 }
    guard let fresh = TransportHeader(frame) else { return nil }
    Checksum.fillNetwork(&frame, fresh)
    if isChecksumBlank {
      Checksum.blankTransport(&frame, fresh)
    } else {
      Checksum.fillTransport(&frame, fresh)
    }
    var packet = Packet(frame)
    packet?.isChecksumBlank = isChecksumBlank
    packet?.isValidated = isValidated
    return packet
  }

  /// Computes the checksum that is still missing; false where there is nothing to compute it for.
  mutating func fillChecksum() -> Bool {
    guard let header = TransportHeader(bytes) else { return false }
    var filled = bytes
    bytes = []
    Checksum.fillTransport(&filled, header)
    bytes = filled
    isChecksumBlank = false
    return true
  }
}
