// lz4 through liblz4: the legacy stream that Linux's build writes, and the frame format.

import CCompression

enum Lz4Decoder {
  /// The most that one block of the legacy format unpacks to.
  private static let blockSize = 8 << 20

  /// Unpacks blocks that each follow their size; Linux appends the size of the whole at the end.
  static func decodeLegacy(_ input: ImageBytes, into output: GrowingBuffer) -> DecodingOutcome {
    var position = 4
    while position < input.count {
      guard let size: UInt32 = input.load(position) else { return .truncated }
      position += 4
      if position == input.count, position > 8 { return .done }
      guard let block = input.slice(UInt64(position), count: UInt64(size)), size > 0,
        let count = Int32(exactly: size)
      else { return .truncated }
      var decoded: Int32 = -1
      var isCut = false
      let wasWritten = output.append(upTo: blockSize) { room in
        isCut = room.count < blockSize
        decoded = LZ4_decompress_safe(
          block.buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
          room.baseAddress?.assumingMemoryBound(to: CChar.self), count, Int32(room.count))
        return Int(decoded)
      }
      guard wasWritten else { return .full }
      guard decoded >= 0 else { return isCut ? .full : .corrupt }
      position += block.count
    }
    return position > 8 ? .done : .truncated
  }

  static func decodeFrame(_ input: ImageBytes, into output: GrowingBuffer) -> DecodingOutcome {
    var context: OpaquePointer?
    guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0,
      let context
    else { return .damaged("no memory for liblz4") }
    defer { LZ4F_freeDecompressionContext(context) }
    var position = 0
    while true {
      var result = 0
      var consumed = 0
      var written = 0
      let rest = input.suffix(from: position)
      let wasWritten = output.append(upTo: 4 << 20) { room in
        consumed = rest.count
        written = room.count
        // SAFETY: liblz4 reads `consumed` bytes of `rest` and writes `written` bytes of `room`.
        result = LZ4F_decompress(
          context, room.baseAddress, &written, rest.buffer.baseAddress, &consumed, nil)
        return written
      }
      guard wasWritten else { return .full }
      if LZ4F_isError(result) != 0 { return .corrupt }
      if result == 0 { return .done }
      guard consumed > 0 || written > 0 else { return .truncated }
      position += consumed
    }
  }
}
