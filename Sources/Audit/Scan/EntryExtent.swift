// How far the code behind a boot entry goes, which nothing in an image says: it is followed through
// its unconditional jumps until it leaves the width it began in.

import Disassembly

/// The code that a boot entry of another width runs through.
enum EntryExtent {
  /// Jumps that are followed before the search ends.
  private static let longest = 16

  /// The stretches of `code` that are executed from offset 0 on, in ascending order, none overlapping.
  ///
  /// A stretch ends behind a jump, a return or a far transfer, and before a byte at which no instruction starts. Conditional
  /// jumps and calls are not followed: what they lead to stands nearly always in a stretch anyway.
  static func stretches(_ code: UnsafeRawBufferPointer, mode: DecodingMode) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var start: Int? = 0
    while let begin = start, found.count < longest {
      if found.contains(where: { $0.contains(begin) }) { break }
      let limit = found.map(\.lowerBound).filter { $0 > begin }.min() ?? code.count
      let (end, target) = run(code, from: begin, limit: limit, mode: mode)
      if end > begin { found.append(begin..<end) }
      start = target
    }
    return found.sorted { $0.lowerBound < $1.lowerBound }
  }

  /// The end of the stretch that begins at `start`, and where its last jump leads if that is inside `code`.
  private static func run(
    _ code: UnsafeRawBufferPointer, from start: Int, limit: Int, mode: DecodingMode
  ) -> (end: Int, target: Int?) {
    let decoder = LengthDecoder(mode: mode)
    var offset = start
    while offset < limit {
      guard let encoding = decoder.decode(code, at: offset) else { return (offset, nil) }
      let end = offset + encoding.length
      if encoding.space == .legacy, encoding.map == 0 {
        switch encoding.opcode {
        case 0xEA, 0xCA, 0xCB, 0xCF, 0xC2, 0xC3: return (end, nil)
        case 0xFF where encoding.registerField == 4 || encoding.registerField == 5:
          return (end, nil)
        case 0xE9, 0xEB:
          return (end, target(encoding, at: offset, in: code))
        default: break
        }
      }
      offset = end
    }
    return (min(offset, limit), nil)
  }

  private static func target(
    _ encoding: InstructionEncoding, at offset: Int, in code: UnsafeRawBufferPointer
  ) -> Int? {
    var value: Int64 = 0
    for index in (0..<encoding.immediateLength).reversed() {
      value = value << 8 | Int64(code[offset + encoding.immediateOffset + index])
    }
    let shift = Int64(64 - 8 * encoding.immediateLength)
    let target = offset + encoding.length + Int((value << shift) >> shift)
    return target >= 0 && target < code.count ? target : nil
  }
}
