// What the length of an instruction depends on, opcode by opcode: the opcode maps of Intel SDM
// vol. 2, appendix A, and AMD APM vol. 3, appendix A, reduced to one word for each opcode.

/// What follows an opcode.
struct OpcodeTraits: OptionSet, Sendable {
  let rawValue: UInt16

  /// A ModRM byte, with SIB and displacement as it says.
  static let modRM = Self(rawValue: 1 << 0)
  /// One immediate byte.
  static let byte = Self(rawValue: 1 << 1)
  /// Two immediate bytes.
  static let word = Self(rawValue: 1 << 2)
  /// Two or four immediate bytes, by operand size.
  static let operand = Self(rawValue: 1 << 3)
  /// As `operand`, and eight bytes with REX.W (`mov reg, imm64`).
  static let wideOperand = Self(rawValue: 1 << 4)
  /// A branch displacement: as `operand`, and in 64-bit mode four bytes whatever the prefixes say.
  static let branch = Self(rawValue: 1 << 5)
  /// An absolute address of the address size.
  static let address = Self(rawValue: 1 << 6)
  /// An immediate only where the ModRM register field is 0 or 1 (`test` in groups 3).
  static let testOnly = Self(rawValue: 1 << 7)
  /// The ModRM byte's mod field is ignored: always a register (`mov` to and from control registers).
  static let registerOnly = Self(rawValue: 1 << 8)
  /// Not an instruction in 64-bit mode.
  static let invalid64 = Self(rawValue: 1 << 9)
  /// Not an instruction in any mode.
  static let invalid = Self(rawValue: 1 << 10)
  /// A legacy prefix.
  static let prefix = Self(rawValue: 1 << 11)
  /// Execution does not simply go on behind it, so `int3` there is padding: jmp, ret, call, hlt, ud2, int3.
  static let endsFlow = Self(rawValue: 1 << 12)
  /// Which register fields are instructions is in ``OpcodeMaps/isInstruction(map:opcode:modRM:)``.
  static let group = Self(rawValue: 1 << 13)
  /// The immediate byte is the rest of the opcode (3DNow!).
  static let suffix = Self(rawValue: 1 << 14)
}

/// The opcode maps.
struct OpcodeMaps: Sendable {
  /// One-byte opcodes.
  let primary: [OpcodeTraits]
  /// Opcodes behind `0F`.
  let secondary: [OpcodeTraits]

  static let shared = Self()

  private init() {
    primary = Self.makePrimary()
    secondary = Self.makeSecondary()
  }

  private static func makePrimary() -> [OpcodeTraits] {
    var map = [OpcodeTraits](repeating: [], count: 256)
    func set(_ range: ClosedRange<Int>, _ traits: OpcodeTraits) {
      for opcode in range { map[opcode] = traits }
    }
    // The eight arithmetic rows: modrm forms, AL/eAX with immediate; segment pushes and BCD between them.
    for row in stride(from: 0x00, through: 0x38, by: 8) {
      set(row...row + 3, .modRM)
      map[row + 4] = .byte
      map[row + 5] = .operand
      set(row + 6...row + 7, .invalid64)
    }
    for prefix in [0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3] {
      map[prefix] = .prefix
    }
    set(0x60...0x61, .invalid64)
    map[0x62] = [.modRM, .invalid64]  // bound; EVEX is taken before
    map[0x63] = .modRM
    map[0x68] = .operand
    map[0x69] = [.modRM, .operand]
    map[0x6A] = .byte
    map[0x6B] = [.modRM, .byte]
    set(0x70...0x7F, .byte)
    map[0x80] = [.modRM, .byte]
    map[0x81] = [.modRM, .operand]
    map[0x82] = [.modRM, .byte, .invalid64]
    map[0x83] = [.modRM, .byte]
    set(0x84...0x8F, .modRM)
    for opcode in [0x8C, 0x8E, 0x8F, 0xFE] { map[opcode] = [.modRM, .group] }
    map[0x9A] = [.operand, .word, .invalid64]
    set(0xA0...0xA3, .address)
    map[0xA8] = .byte
    map[0xA9] = .operand
    set(0xB0...0xB7, .byte)
    set(0xB8...0xBF, .wideOperand)
    set(0xC0...0xC1, [.modRM, .byte])
    map[0xC2] = [.word, .endsFlow]
    map[0xC3] = .endsFlow
    set(0xC4...0xC5, [.modRM, .invalid64])  // les, lds; VEX is taken before
    map[0xC6] = [.modRM, .byte, .group]
    map[0xC7] = [.modRM, .operand, .group]
    map[0xC8] = [.word, .byte]
    map[0xCA] = [.word, .endsFlow]
    set(0xCB...0xCC, .endsFlow)
    map[0xCD] = .byte
    map[0xCE] = .invalid64
    map[0xCF] = .endsFlow
    set(0xD0...0xD3, .modRM)
    set(0xD4...0xD5, [.byte, .invalid64])
    map[0xD6] = .invalid64
    set(0xD8...0xDF, .modRM)
    set(0xE0...0xE7, .byte)
    set(0xE8...0xE9, [.branch, .endsFlow])
    map[0xEA] = [.operand, .word, .invalid64, .endsFlow]
    map[0xEB] = [.byte, .endsFlow]
    map[0xF4] = .endsFlow
    map[0xF6] = [.modRM, .byte, .testOnly]
    map[0xF7] = [.modRM, .operand, .testOnly]
    map[0xFF] = [.modRM, .group, .endsFlow]
    return map
  }

  private static func makeSecondary() -> [OpcodeTraits] {
    var map = [OpcodeTraits](repeating: .modRM, count: 256)
    for opcode in [0x05, 0x06, 0x07, 0x08, 0x09, 0x0E, 0x77, 0xA0, 0xA1, 0xA2, 0xA8, 0xA9, 0xAA] {
      map[opcode] = []
    }
    for opcode in 0x30...0x37 { map[opcode] = [] }
    for opcode in 0xC8...0xCF { map[opcode] = [] }
    for opcode in [
      0x04, 0x0A, 0x0C, 0x25, 0x27, 0x36, 0x39, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x7A, 0x7B,
    ] {
      map[opcode] = .invalid
    }
    map[0x07] = .endsFlow
    map[0x35] = .endsFlow
    map[0x0B] = .endsFlow
    map[0xB9] = [.modRM, .endsFlow]
    map[0xFF] = [.modRM, .endsFlow]
    map[0x0F] = [.modRM, .byte, .suffix]
    for opcode in 0x20...0x23 { map[opcode] = [.modRM, .registerOnly, .group] }
    for opcode in [0x24, 0x26] { map[opcode] = [.modRM, .registerOnly, .invalid64] }
    for opcode in [0x70, 0x71, 0x72, 0x73, 0xA4, 0xAC, 0xC2, 0xC4, 0xC5, 0xC6] {
      map[opcode] = [.modRM, .byte]
    }
    map[0x00] = [.modRM, .group]
    map[0xBA] = [.modRM, .byte, .group]
    for opcode in 0x80...0x8F { map[opcode] = .branch }
    return map
  }

  /// Whether a `.group` opcode is an instruction with this ModRM byte.
  static func isInstruction(map: UInt8, opcode: UInt8, modRM: UInt8) -> Bool {
    if registerFields(map: map, opcode: opcode) & (1 << ((modRM >> 3) & 7)) == 0 { return false }
    let field = (modRM >> 3) & 7
    return switch (map, opcode) {
    // xabort and xbegin have one ModRM byte each.
    case (0, 0xC6), (0, 0xC7): field != 7 || modRM == 0xF8
    // A far call or jump takes its pointer from memory.
    case (0, 0xFF): (field != 3 && field != 5) || modRM < 0xC0
    default: true
    }
  }

  /// The register fields, one bit each, with which a `.group` opcode is an instruction.
  private static func registerFields(map: UInt8, opcode: UInt8) -> UInt8 {
    switch (map, opcode) {
    case (0, 0x8C): 0b0011_1111
    case (0, 0x8E): 0b0011_1101
    case (0, 0x8F): 0b0000_0001
    case (0, 0xC6), (0, 0xC7): 0b1000_0001
    case (0, 0xFE): 0b0000_0011
    case (0, 0xFF): 0b0111_1111
    case (1, 0x00): 0b0111_1111
    case (1, 0x20), (1, 0x22): 0b0001_1101
    case (1, 0xBA): 0b1111_0000
    default: 0xFF
    }
  }

  /// The suffixes that make `0F 0F` an instruction.
  ///
  /// AMD 3DNow! Technology Manual, and its extensions.
  static let suffixes3DNow: Set<UInt8> = [
    0x0C, 0x0D, 0x1C, 0x1D, 0x8A, 0x8E, 0x90, 0x94, 0x96, 0x97, 0x9A, 0x9E, 0xA0, 0xA4, 0xA6, 0xA7,
    0xAA, 0xAE, 0xB0, 0xB4, 0xB6, 0xB7, 0xBB, 0xBF,
  ]
}
