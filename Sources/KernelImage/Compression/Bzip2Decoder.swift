// bzip2 through libbz2.

import CCompression

enum Bzip2Decoder {
  static func decode(_ input: ImageBytes, into output: GrowingBuffer) -> DecodingOutcome {
    var stream = bz_stream()
    guard BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK else {
      return .damaged("no memory for libbz2")
    }
    defer { BZ2_bzDecompressEnd(&stream) }
    var feed = InputFeed(input)
    while true {
      if stream.avail_in == 0 {
        // SAFETY: libbz2 only reads through next_in; `input` keeps the bytes alive for this call.
        guard let piece = feed.next(limit: 1 << 20) else { return .truncated }
        stream.next_in = UnsafeMutablePointer(
          mutating: piece.baseAddress?.assumingMemoryBound(to: CChar.self))
        stream.avail_in = UInt32(piece.count)
      }
      var status = BZ_OK
      let wasWritten = output.append(upTo: 1 << 20) { room in
        stream.next_out = room.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.avail_out = UInt32(room.count)
        status = BZ2_bzDecompress(&stream)
        return room.count - Int(stream.avail_out)
      }
      guard wasWritten else { return .full }
      if status == BZ_STREAM_END { return .done }
      guard status == BZ_OK else { return .corrupt }
    }
  }
}
