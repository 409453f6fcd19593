// xz and its predecessor through liblzma. A kernel's stream is one block, so there is nothing for
// liblzma's parallel decoder to do.

import CCompression

enum LzmaDecoder {
  /// Memory for the decoder: kernels use a dictionary of up to 128 MiB.
  private static let memoryLimit: UInt64 = 192 << 20

  static func decode(
    _ input: ImageBytes, isAlone: Bool, into output: GrowingBuffer
  ) -> DecodingOutcome {
    var stream = lzma_stream()
    let status =
      isAlone
      ? lzma_alone_decoder(&stream, memoryLimit) : lzma_stream_decoder(&stream, memoryLimit, 0)
    guard status == LZMA_OK else { return .damaged("no memory for liblzma") }
    defer { lzma_end(&stream) }
    // SAFETY: liblzma only reads through next_in; `input` keeps the bytes alive for this call.
    stream.next_in = input.buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_in = input.count
    while true {
      var status = LZMA_OK
      let wasWritten = output.append(upTo: 4 << 20) { room in
        stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = room.count
        status = lzma_code(&stream, LZMA_RUN)
        return room.count - stream.avail_out
      }
      guard wasWritten else { return .full }
      switch status {
      case LZMA_OK: continue
      case LZMA_STREAM_END: return .done
      case LZMA_BUF_ERROR: return .truncated
      case LZMA_MEMLIMIT_ERROR:
        return .damaged("one that needs more than \(memoryLimit >> 20) MiB to unpack")
      default: return .corrupt
      }
    }
  }
}
