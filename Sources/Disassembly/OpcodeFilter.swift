// The question that the sweep asks of every instruction: could a rule want it? Answered by one bit
// per opcode, register field and form, so that nearly all code passes without a second look.

/// The opcodes that a set of patterns could take.
public struct OpcodeFilter: Sendable {
  /// For each legacy map and opcode: bits 0 to 7 say which register fields are wanted in memory form, bits 8 to 15 in register form.
  private(set) var masks = [UInt16](repeating: 0, count: 4 * 256)
  /// Maps of VEX that have any wanted opcode, one bit each.
  private(set) var vexMaps: UInt32 = 0

  /// A filter that lets through what any of `patterns` takes in `mode`.
  public init(patterns: some Sequence<EncodingPattern>, mode: DecodingMode) {
    for pattern in patterns where pattern.modes.contains(mode) {
      if pattern.space == .vex {
        vexMaps |= 1 << UInt32(pattern.map & 31)
        continue
      }
      guard pattern.space == .legacy, pattern.map < 4 else { continue }
      masks[Int(pattern.map) * 256 + Int(pattern.opcode)] |= Self.mask(pattern)
    }
  }

  private static func mask(_ pattern: EncodingPattern) -> UInt16 {
    if let modRM = pattern.modRM {
      let field = UInt16(1) << UInt16((modRM >> 3) & 7)
      return modRM < 0xC0 ? field : field << 8
    }
    let fields = pattern.registerField.map { UInt16(1) << UInt16($0) } ?? 0xFF
    return switch pattern.form {
    case .any: fields | fields << 8
    case .memory: fields
    case .register: fields << 8
    }
  }

  /// Whether a rule could want `encoding`.
  public func wants(_ encoding: InstructionEncoding) -> Bool {
    switch encoding.space {
    case .legacy:
      let mask = masks[Int(encoding.map) * 256 + Int(encoding.opcode)]
      if encoding.modRMOffset == 0 { return mask != 0 }
      return mask & Self.bit(modRM: encoding.modRM) != 0
    case .vex: return vexMaps & (1 << UInt32(encoding.map & 31)) != 0
    case .evex, .xop: return false
    }
  }

  /// The mask bit of a ModRM byte.
  @inline(__always)
  static func bit(modRM: UInt8) -> UInt16 {
    let field = UInt16(1) << UInt16((modRM >> 3) & 7)
    return modRM < 0xC0 ? field : field << 8
  }
}
