// The sweep's own view of the opcode maps: one word for each opcode and operand size, so that a
// common instruction costs a few loads. Made from OpcodeMaps and a filter; nothing is written twice.

/// Tables for the sweep's quick path, for 32- and 64-bit code.
struct QuickTable: Sendable {
  /// The lowest four bits of a word are the bytes of immediate; the others are flags.
  static let immediateMask: UInt16 = 0x0F
  static let modRM: UInt16 = 1 << 4
  /// Leave it to ``LengthDecoder``.
  static let slow: UInt16 = 1 << 5
  /// A rule could want it, depending on ModRM where there is one.
  static let wanted: UInt16 = 1 << 6
  static let endsFlow: UInt16 = 1 << 7
  /// A legacy prefix that changes no length: segments, LOCK, F2, F3.
  static let plainPrefix: UInt16 = 1 << 8
  static let operandSizePrefix: UInt16 = 1 << 9
  static let rexPrefix: UInt16 = 1 << 10
  static let escape: UInt16 = 1 << 11
  static let anyPrefix: UInt16 = plainPrefix | operandSizePrefix | rexPrefix

  /// Offsets of the three operand sizes' tables: as the mode has it, with 66, with REX.W.
  static let narrow = 512
  static let wide = 1024

  /// Three times 512 words: one-byte opcodes, then those behind 0F.
  let words: [UInt16]
  /// For each ModRM byte: bytes of displacement, and 0x80 where a SIB byte stands (counted apart).
  let addressing: [UInt8]
  /// The filter's masks for the same 512 opcodes.
  let masks: [UInt16]

  init(mode: DecodingMode, filter: OpcodeFilter) {
    let maps = OpcodeMaps.shared
    var words = [UInt16](repeating: Self.slow, count: 3 * 512)
    for table in 0..<3 {
      for opcode in 0..<512 {
        let traits = opcode < 256 ? maps.primary[opcode] : maps.secondary[opcode - 256]
        var word = Self.word(traits, table: table, mode: mode)
        if filter.masks[opcode] != 0 { word |= Self.wanted }
        words[table * 512 + opcode] = word
      }
      func mark(_ opcode: Int, _ word: UInt16) { words[table * 512 + opcode] = word }
      for prefix in [0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0xF0, 0xF2, 0xF3] {
        mark(prefix, Self.plainPrefix)
      }
      mark(0x66, Self.operandSizePrefix)
      mark(0x67, Self.slow)
      mark(0x0F, Self.escape)
      if mode == .bits64 {
        for rex in 0x40...0x4F { mark(rex, Self.rexPrefix) }
      }
      // VEX, EVEX, XOP; the two long maps; extrq and insertq; ud2, ud1 and ud0, which are counted.
      for opcode in [0x62, 0x8F, 0xC4, 0xC5, 0xCC] { mark(opcode, Self.slow) }
      for opcode in [0x0B, 0x38, 0x3A, 0x78, 0xB9, 0xFF] { mark(256 + opcode, Self.slow) }
    }
    self.words = words
    masks = Array(filter.masks[0..<512])
    addressing = (0..<256).map { Self.addressingWord(UInt8($0)) }
  }

  private static func word(_ traits: OpcodeTraits, table: Int, mode: DecodingMode) -> UInt16 {
    let hard: OpcodeTraits = [.invalid, .testOnly, .registerOnly, .group, .address, .suffix]
    if !traits.isDisjoint(with: hard) { return slow }
    if mode == .bits64, traits.contains(.invalid64) { return slow }
    let operand: UInt16 = table == 1 ? 2 : 4
    var word: UInt16 = 0
    if traits.contains(.byte) { word += 1 }
    if traits.contains(.word) { word += 2 }
    if traits.contains(.operand) { word += operand }
    if traits.contains(.wideOperand) { word += table == 2 ? 8 : operand }
    if traits.contains(.branch) { word += mode == .bits64 ? 4 : operand }
    if traits.contains(.modRM) { word |= modRM }
    if traits.contains(.endsFlow) { word |= endsFlow }
    return word
  }

  private static func addressingWord(_ modRM: UInt8) -> UInt8 {
    let mod = modRM >> 6
    let rm = modRM & 7
    if mod == 3 { return 0 }
    let displacement: UInt8 = mod == 0 ? (rm == 5 ? 4 : 0) : (mod == 1 ? 1 : 4)
    return rm == 4 ? 0x80 | displacement : displacement
  }
}
