// zstd through libzstd.

import CCompression

enum ZstdDecoder {
  static func decode(_ input: ImageBytes, into output: GrowingBuffer) -> DecodingOutcome {
    // libzstd's own limit for the window, 128 MiB, is what Linux's build uses at most.
    guard let stream = ZSTD_createDStream() else { return .damaged("no memory for libzstd") }
    defer { ZSTD_freeDStream(stream) }
    // SAFETY: libzstd only reads the source; `input` keeps the bytes alive for this call.
    var source = ZSTD_inBuffer(src: input.buffer.baseAddress, size: input.count, pos: 0)
    while true {
      var left = 0
      var written = 0
      let before = source.pos
      let wasWritten = output.append(upTo: 4 << 20) { room in
        var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        left = ZSTD_decompressStream(stream, &target, &source)
        written = target.pos
        return written
      }
      guard wasWritten else { return .full }
      if ZSTD_isError(left) != 0 { return .corrupt }
      if left == 0 { return .done }
      if source.pos == before, written == 0 { return .truncated }
    }
  }
}
