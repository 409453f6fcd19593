// The parts of one encoded instruction: what the length decoder reads, and what rules match on.
// No operand is interpreted here; Capstone does that for the few instructions that matter.

/// The width of code, which selects among the processor's decoding modes.
public enum DecodingMode: Int, Sendable, CaseIterable {
  case bits16 = 16
  case bits32 = 32
  case bits64 = 64
}

/// The family of encodings that an opcode belongs to.
public enum EncodingSpace: UInt8, Sendable {
  /// One-byte opcodes and the 0F, 0F 38 and 0F 3A maps.
  case legacy
  case vex
  case evex
  case xop
}

/// One instruction taken apart into its encoded fields.
///
///     prefixes | REX | escapes | opcode | ModRM | SIB | displacement | immediate
///              ^-- or a VEX, EVEX or XOP prefix that carries map, W and pp
public struct InstructionEncoding: Sendable, Equatable {
  /// All bytes, prefixes included; 1 to 15.
  public var length = 0
  public var space = EncodingSpace.legacy
  /// The opcode map: 0 one-byte, 1 `0F`, 2 `0F 38`, 3 `0F 3A`; in VEX, EVEX and XOP the field's own value.
  public var map: UInt8 = 0
  public var opcode: UInt8 = 0
  /// `66` stands among the prefixes.
  public var hasOperandSize = false
  /// `67` stands among the prefixes.
  public var hasAddressSize = false
  /// `F0` stands among the prefixes.
  public var hasLock = false
  /// The last of `F2` and `F3`, which is the one that counts; 0 without.
  public var repeatPrefix: UInt8 = 0
  /// The last segment override (26, 2E, 36, 3E, 64, 65); 0 without.
  public var segmentPrefix: UInt8 = 0
  /// The REX byte where it stands directly before the opcode; 0 without.
  public var rex: UInt8 = 0
  /// REX.W, or the W field of VEX, EVEX and XOP.
  public var isWide = false
  /// The pp field of VEX and EVEX as the prefix it stands for: 0, 66, F3 or F2.
  public var impliedPrefix: UInt8 = 0
  /// Offset of the opcode byte from the first byte.
  public var opcodeOffset = 0
  /// Offset of the ModRM byte; 0 without one.
  public var modRMOffset = 0
  public var modRM: UInt8 = 0
  /// Offset and size of the immediate (or relative displacement of a branch); size 0 without.
  public var immediateOffset = 0
  public var immediateLength = 0

  /// An encoding with nothing in it.
  public init() {}

  /// The ModRM byte's register field, without REX.R.
  public var registerField: UInt8 { (modRM >> 3) & 7 }

  /// The ModRM byte names memory and not a register.
  public var isMemoryForm: Bool { modRMOffset != 0 && modRM < 0xC0 }

  /// The prefix that selects among instructions with one opcode: F2 and F3 before 66, as processors have it.
  public var mandatoryPrefix: UInt8 {
    if space != .legacy { return impliedPrefix }
    if repeatPrefix != 0 { return repeatPrefix }
    return hasOperandSize ? 0x66 : 0
  }
}
