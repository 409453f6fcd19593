// Patterns of encodings in the notation of the processor manuals, as rules/*.yaml writes them:
//
//     [NP|66|F2|F3] [LOCK] [REX.W|REX.W0] [REX.R] opcode bytes [ModRM byte | /0../7 | /r] [m|r] [ib=HH]
//     VEX.F3.map7.W0 F6 /0 r
//
// Notes about immediates (ib, iw, id, iz, cb, cd, …) may follow and say nothing here.

/// Why a pattern could not be read.
public struct EncodingPatternError: Error, Sendable, Equatable {
  /// The whole pattern.
  public var pattern: String
  /// The word at fault; empty where something is missing at the end.
  public var word: String
  /// What could stand there.
  public var expected: String
}

/// A set of encodings of one opcode.
public struct EncodingPattern: Sendable, Equatable {
  /// Which forms of ModRM are meant.
  public enum Form: Sendable, Equatable {
    case any
    case memory
    case register
  }

  public var space = EncodingSpace.legacy
  public var map: UInt8 = 0
  public var opcode: UInt8 = 0
  /// The required mandatory prefix: `nil` any, 0 none, else 66, F2 or F3.
  public var prefix: UInt8?
  /// REX.W or VEX.W: `nil` any.
  public var wide: Bool?
  /// REX.R, which turns CR0 into CR8.
  public var requiresExtendedRegister = false
  public var requiresLock = false
  /// The whole ModRM byte.
  public var modRM: UInt8?
  /// The ModRM register field.
  public var registerField: UInt8?
  public var form = Form.any
  /// The value of the first immediate byte.
  public var immediate: UInt8?
  /// The modes in which it is this instruction.
  public var modes: Set<DecodingMode> = Set(DecodingMode.allCases)

  /// How many conditions stand beside the opcode: of two patterns that fit, the one with more is meant.
  public var specificity: Int {
    (prefix == nil ? 0 : 1) + (wide == nil ? 0 : 1)
      + (requiresExtendedRegister ? 1 : 0) + (requiresLock ? 1 : 0)
      + (modRM == nil ? 0 : 4) + (registerField == nil ? 0 : 2) + (form == .any ? 0 : 1)
      + (immediate == nil ? 0 : 1)
  }

  /// Whether `encoding`, read from `bytes`, is one of the pattern's.
  public func matches(
    _ encoding: InstructionEncoding, bytes: UnsafeRawBufferPointer, mode: DecodingMode
  ) -> Bool {
    guard encoding.space == space, encoding.map == map, encoding.opcode == opcode,
      modes.contains(mode)
    else { return false }
    if let prefix, encoding.mandatoryPrefix != prefix { return false }
    if let wide, encoding.isWide != wide { return false }
    if requiresExtendedRegister, encoding.rex & 4 == 0 { return false }
    if requiresLock, !encoding.hasLock { return false }
    if let modRM, encoding.modRMOffset == 0 || encoding.modRM != modRM { return false }
    if let registerField, encoding.modRMOffset == 0 || encoding.registerField != registerField {
      return false
    }
    switch form {
    case .any: break
    case .memory: if !encoding.isMemoryForm { return false }
    case .register: if encoding.modRMOffset == 0 || encoding.isMemoryForm { return false }
    }
    if let immediate {
      guard encoding.immediateLength > 0, encoding.immediateOffset < bytes.count else {
        return false
      }
      if bytes[encoding.immediateOffset] != immediate { return false }
    }
    return true
  }
}

extension EncodingPattern {
  private static let immediateNotes: Set<String> = [
    "ib", "iw", "id", "iq", "iz", "cb", "cw", "cd", "cp", "is4",
  ]

  /// Reads a pattern; see the head of this file.
  ///
  /// - Throws: ``EncodingPatternError`` naming the word at fault.
  public init(
    parsing text: String, modes: Set<DecodingMode> = Set(DecodingMode.allCases)
  ) throws(EncodingPatternError) {
    self.init()
    self.modes = modes
    var opcodes: [UInt8] = []
    var sawModRM = false
    for part in text.split(separator: " ") {
      let word = String(part)
      let isBeforeOpcode = opcodes.isEmpty && space == .legacy
      if isBeforeOpcode, try readPrefix(word, of: text) { continue }
      if word.hasPrefix("/"), !opcodes.isEmpty, !sawModRM {
        sawModRM = true
        if word == "/r" { continue }
        guard word.count == 2, let field = word.last?.wholeNumberValue, field < 8 else {
          throw EncodingPatternError(pattern: text, word: word, expected: "/r or /0 to /7")
        }
        registerField = UInt8(field)
      } else if word == "m", !opcodes.isEmpty {
        form = .memory
      } else if word == "r", !opcodes.isEmpty {
        form = .register
      } else if word.hasPrefix("ib="), let value = Self.byte(word.dropFirst(3)) {
        immediate = value
      } else if Self.immediateNotes.contains(word), !opcodes.isEmpty {
        continue
      } else if let value = Self.byte(word), !sawModRM, form == .any {
        opcodes.append(value)
      } else {
        throw EncodingPatternError(
          pattern: text, word: word,
          expected: "a prefix condition, an opcode byte in hexadecimal, /r, /0 to /7, m, r or ib=HH"
        )
      }
    }
    try take(opcodes, of: text)
    if modRM != nil, sawModRM || form != .any {
      throw EncodingPatternError(
        pattern: text, word: "", expected: "either a whole ModRM byte or a /digit, not both")
    }
  }

  /// Reads a word before the opcode; false where it is none of those.
  private mutating func readPrefix(_ word: String, of text: String) throws(EncodingPatternError)
    -> Bool
  {
    switch word {
    case "NP": prefix = 0
    case "66": prefix = 0x66
    case "F2": prefix = 0xF2
    case "F3": prefix = 0xF3
    case "LOCK", "F0": requiresLock = true
    case "REX.W": wide = true
    case "REX.R": requiresExtendedRegister = true
    case "REX.W0": wide = false
    default:
      guard word.hasPrefix("VEX.") else { return false }
      try readVEX(word, of: text)
    }
    return true
  }

  private mutating func readVEX(_ word: String, of text: String) throws(EncodingPatternError) {
    space = .vex
    prefix = 0
    for field in word.split(separator: ".").dropFirst() {
      switch field {
      case "NP": prefix = 0
      case "66": prefix = 0x66
      case "F2": prefix = 0xF2
      case "F3": prefix = 0xF3
      case "W0": wide = false
      case "W1": wide = true
      case "L0", "L1", "LZ", "LIG", "WIG", "128", "256": break
      default:
        guard field.hasPrefix("map"), let number = UInt8(field.dropFirst(3)), number < 32 else {
          throw EncodingPatternError(
            pattern: text, word: String(field), expected: "NP, 66, F2, F3, mapN, W0 or W1")
        }
        map = number
      }
    }
  }

  /// Sorts the opcode bytes into map, opcode and ModRM.
  private mutating func take(_ bytes: [UInt8], of text: String) throws(EncodingPatternError) {
    var rest = bytes[...]
    if space == .legacy, rest.first == 0x0F, rest.count > 1 {
      rest.removeFirst()
      map = 1
      if let escape = rest.first, escape == 0x38 || escape == 0x3A, rest.count > 1 {
        rest.removeFirst()
        map = escape == 0x38 ? 2 : 3
      }
    }
    guard let first = rest.popFirst(), rest.count <= 1 else {
      throw EncodingPatternError(
        pattern: text, word: "", expected: "one opcode, at most one ModRM byte behind it")
    }
    opcode = first
    modRM = rest.first
  }

  private static func byte(_ text: some StringProtocol) -> UInt8? {
    text.count == 2 ? UInt8(text, radix: 16) : nil
  }
}
