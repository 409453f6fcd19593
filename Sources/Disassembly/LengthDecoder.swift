// The length decoder: takes one instruction apart without interpreting its operands. It knows every
// map, so it keeps its place in code that Capstone cannot read. Sweep.swift has the quick path for
// common code and falls back on this one.

/// Takes instructions apart, in one decoding mode.
public struct LengthDecoder: Sendable {
  /// An instruction of more bytes is #GP on every processor.
  ///
  /// Intel SDM vol. 2, 2.3.11.
  public static let maximumLength = 15

  public let mode: DecodingMode
  private let maps = OpcodeMaps.shared

  /// A decoder for code of one width.
  public init(mode: DecodingMode) {
    self.mode = mode
  }

  /// The instruction at `offset` of `code`.
  ///
  /// - Returns: `nil` where no instruction starts there, or where the code ends before it does.
  public func decode(_ code: UnsafeRawBufferPointer, at offset: Int) -> InstructionEncoding? {
    guard offset >= 0, offset < code.count else { return nil }
    var cursor = Cursor(
      code: UnsafeRawBufferPointer(
        rebasing: code[offset..<min(code.count, offset + Self.maximumLength)]))
    var result = InstructionEncoding()
    guard var byte = cursor.next() else { return nil }

    // Legacy prefixes in any order; a REX counts only directly before the opcode.
    while true {
      switch byte {
      case 0x66: result.hasOperandSize = true
      case 0x67: result.hasAddressSize = true
      case 0xF0: result.hasLock = true
      case 0xF2, 0xF3: result.repeatPrefix = byte
      case 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65: result.segmentPrefix = byte
      case 0x40...0x4F where mode == .bits64:
        guard let following = cursor.next() else { return nil }
        if !Self.isPrefix(following) {
          result.rex = byte
          result.isWide = byte & 8 != 0
          return decodeOpcode(following, &result, &cursor)
        }
        byte = following
        continue
      default:
        return decodeOpcode(byte, &result, &cursor)
      }
      guard let following = cursor.next() else { return nil }
      byte = following
    }
  }

  private static func isPrefix(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x40...0x4F: true
    default: false
    }
  }

  private func decodeOpcode(
    _ first: UInt8, _ result: inout InstructionEncoding, _ cursor: inout Cursor
  ) -> InstructionEncoding? {
    var traits: OpcodeTraits
    switch first {
    case 0x0F:
      guard let second = cursor.next() else { return nil }
      switch second {
      case 0x38:
        guard let third = cursor.next() else { return nil }
        (result.map, result.opcode) = (2, third)
        traits = .modRM
      case 0x3A:
        guard let third = cursor.next() else { return nil }
        (result.map, result.opcode) = (3, third)
        traits = [.modRM, .byte]
      default:
        (result.map, result.opcode) = (1, second)
        traits = maps.secondary[Int(second)]
        // extrq and insertq (AMD APM vol. 4) share an opcode with vmread and carry two bytes.
        if second == 0x78, result.mandatoryPrefix == 0x66 || result.mandatoryPrefix == 0xF2 {
          traits = [.modRM, .word]
        }
      }
    case 0xC4, 0xC5, 0x62:
      if isVectorPrefix(cursor) { return decodeVector(first, &result, &cursor) }
      result.opcode = first
      traits = maps.primary[Int(first)]
    case 0x8F:
      // XOP takes the place of pop's invalid forms: its map field is 8 or more.
      if let next = cursor.peek, next & 0x1F >= 8 {
        return decodeVector(first, &result, &cursor)
      }
      result.opcode = first
      traits = maps.primary[Int(first)]
    default:
      result.opcode = first
      traits = maps.primary[Int(first)]
    }
    result.opcodeOffset = cursor.position - 1
    if traits.contains(.invalid) || (mode == .bits64 && traits.contains(.invalid64)) { return nil }
    return finish(traits, &result, &cursor)
  }

  /// In 16- and 32-bit code C4, C5 and 62 are `les`, `lds` and `bound` unless their ModRM would name a register.
  private func isVectorPrefix(_ cursor: Cursor) -> Bool {
    if mode == .bits64 { return true }
    guard let next = cursor.peek else { return false }
    return next >= 0xC0
  }

  /// Reads what follows a VEX, EVEX or XOP prefix.
  ///
  /// Intel SDM vol. 2, 2.3.5 and 2.7.1; AMD APM vol. 3, 1.9.
  private func decodeVector(
    _ first: UInt8, _ result: inout InstructionEncoding, _ cursor: inout Cursor
  ) -> InstructionEncoding? {
    // 66, F2, F3, LOCK and REX before these prefixes are #UD.
    guard !result.hasOperandSize, result.repeatPrefix == 0, !result.hasLock, result.rex == 0,
      let one = cursor.next()
    else { return nil }
    let pp: UInt8
    switch first {
    case 0xC5:
      result.space = .vex
      result.map = 1
      pp = one & 3
    case 0xC4, 0x8F:
      guard let two = cursor.next() else { return nil }
      result.space = first == 0xC4 ? .vex : .xop
      result.map = one & 0x1F
      result.isWide = two & 0x80 != 0
      pp = two & 3
    default:
      guard let two = cursor.next(), cursor.next() != nil, two & 4 != 0 else { return nil }
      result.space = .evex
      result.map = one & 7
      result.isWide = two & 0x80 != 0
      pp = two & 3
    }
    result.impliedPrefix = [0, 0x66, 0xF3, 0xF2][Int(pp)]
    guard let opcode = cursor.next() else { return nil }
    result.opcode = opcode
    result.opcodeOffset = cursor.position - 1
    guard let traits = Self.vectorTraits(result) else { return nil }
    return finish(traits, &result, &cursor)
  }

  private static func vectorTraits(_ encoding: InstructionEncoding) -> OpcodeTraits? {
    switch (encoding.space, encoding.map) {
    case (.vex, 1), (.evex, 1):
      switch encoding.opcode {
      case 0x77 where encoding.space == .vex: []
      case 0x70...0x73, 0xC2, 0xC4, 0xC5, 0xC6: [.modRM, .byte]
      default: .modRM
      }
    case (.vex, 2), (.evex, 2): .modRM
    case (.vex, 3), (.evex, 3): [.modRM, .byte]
    // FP16 (Intel AVX512-FP16 specification, chapter 3).
    case (.evex, 5), (.evex, 6): .modRM
    // rdmsr, wrmsr, urdmsr and uwrmsr with an immediate.
    case (.vex, 7): encoding.opcode == 0xF6 || encoding.opcode == 0xF8 ? [.modRM, .operand] : nil
    case (.xop, 8): [.modRM, .byte]
    case (.xop, 9): .modRM
    case (.xop, 10): [.modRM, .operand]
    default: nil
    }
  }

  /// Reads what the traits say stands behind the opcode, and fills in the length.
  private func finish(
    _ traits: OpcodeTraits, _ result: inout InstructionEncoding, _ cursor: inout Cursor
  ) -> InstructionEncoding? {
    if traits.contains(.modRM) {
      guard let modRM = cursor.next() else { return nil }
      result.modRMOffset = cursor.position - 1
      result.modRM = traits.contains(.registerOnly) ? modRM | 0xC0 : modRM
      if traits.contains(.group),
        !OpcodeMaps.isInstruction(
          map: result.map, opcode: result.opcode, modRM: result.modRM)
      {
        return nil
      }
      guard cursor.skip(addressingBytes(result, cursor)) else { return nil }
    }
    let size = immediateBytes(traits, result)
    if size > 0 {
      result.immediateOffset = cursor.position
      result.immediateLength = size
      if traits.contains(.suffix) {
        guard let suffix = cursor.peek, OpcodeMaps.suffixes3DNow.contains(suffix) else {
          return nil
        }
      }
      guard cursor.skip(size) else { return nil }
    }
    result.length = cursor.position
    return result
  }

  /// Bytes of SIB and displacement.
  ///
  /// Intel SDM vol. 2, tables 2-1 to 2-3.
  private func addressingBytes(_ encoding: InstructionEncoding, _ cursor: Cursor) -> Int {
    let mod = encoding.modRM >> 6
    let rm = encoding.modRM & 7
    if mod == 3 { return 0 }
    if addressSize(encoding) == 2 {
      if mod == 0 { return rm == 6 ? 2 : 0 }
      return Int(mod)
    }
    var bytes = mod == 0 ? 0 : (mod == 1 ? 1 : 4)
    if rm == 4 {
      bytes += 1
      // Without a second byte the skip that follows fails, whatever is added here.
      if mod == 0, let sib = cursor.peek, sib & 7 == 5 { bytes += 4 }
    } else if mod == 0, rm == 5 {
      bytes += 4
    }
    return bytes
  }

  private func addressSize(_ encoding: InstructionEncoding) -> Int {
    switch mode {
    case .bits16: encoding.hasAddressSize ? 4 : 2
    case .bits32: encoding.hasAddressSize ? 2 : 4
    case .bits64: encoding.hasAddressSize ? 4 : 8
    }
  }

  private func immediateBytes(_ traits: OpcodeTraits, _ encoding: InstructionEncoding) -> Int {
    if traits.contains(.testOnly), encoding.registerField > 1 { return 0 }
    let isNarrow = (mode == .bits16) != encoding.hasOperandSize
    let operand = encoding.space != .legacy || encoding.isWide ? 4 : (isNarrow ? 2 : 4)
    var bytes = 0
    if traits.contains(.byte) { bytes += 1 }
    if traits.contains(.word) { bytes += 2 }
    if traits.contains(.operand) { bytes += operand }
    if traits.contains(.wideOperand) { bytes += encoding.isWide ? 8 : operand }
    if traits.contains(.branch) { bytes += mode == .bits64 ? 4 : operand }
    if traits.contains(.address) { bytes += addressSize(encoding) }
    return bytes
  }
}

/// A place in the at most fifteen bytes of an instruction.
private struct Cursor {
  let code: UnsafeRawBufferPointer
  var position = 0

  init(code: UnsafeRawBufferPointer) {
    self.code = code
  }

  var peek: UInt8? { position < code.count ? code[position] : nil }

  mutating func next() -> UInt8? {
    guard position < code.count else { return nil }
    defer { position += 1 }
    return code[position]
  }

  mutating func skip(_ count: Int) -> Bool {
    guard count <= code.count - position else { return false }
    position += count
    return true
  }
}
