// gzip through zlib.

import CCompression

enum GzipDecoder {
  static func decode(_ input: ImageBytes, into output: GrowingBuffer) -> DecodingOutcome {
    var stream = z_stream()
    // 16 more than the window's bits asks for gzip's header and checksum.
    guard
      inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return .damaged("no memory for zlib") }
    defer { inflateEnd(&stream) }
    var feed = InputFeed(input)
    while true {
      if stream.avail_in == 0 {
        // SAFETY: zlib only reads through next_in; `input` keeps the bytes alive for this call.
        guard let piece = feed.next(limit: 1 << 20) else { return .truncated }
        stream.next_in = UnsafeMutablePointer(
          mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(piece.count)
      }
      var status = Z_OK
      let wasWritten = output.append(upTo: 1 << 20) { room in
        stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(room.count)
        status = inflate(&stream, Z_NO_FLUSH)
        return room.count - Int(stream.avail_out)
      }
      guard wasWritten else { return .full }
      if status == Z_STREAM_END { return .done }
      guard status == Z_OK || status == Z_BUF_ERROR && stream.avail_in == 0 else {
        return .corrupt
      }
    }
  }
}

/// Hands out an input in pieces, for libraries that count in 32 bits.
struct InputFeed {
  private let input: ImageBytes
  private var position = 0

  init(_ input: ImageBytes) { self.input = input }

  mutating func next(limit: Int) -> UnsafeRawBufferPointer? {
    guard position < input.count else { return nil }
    let end = min(input.count, position + limit)
    defer { position = end }
    return UnsafeRawBufferPointer(rebasing: input.buffer[position..<end])
  }
}
