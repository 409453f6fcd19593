// Which rule an encoded instruction falls under. Decided on its bytes alone: Capstone has no say.

public import Disassembly

/// The encodings of a set of rules, indexed by opcode.
public struct RuleMatcher: Sendable {
  /// A rule that fits, and the encoding of it that does.
  public struct Match: Sendable {
    public var rule: Rule
    /// Text to print in place of Capstone's; `nil` where Capstone is right.
    public var text: String?
  }

  private struct Entry {
    var pattern: EncodingPattern
    var rule: Int
    var text: String?
  }

  private struct Key: Hashable {
    var space: EncodingSpace
    var map: UInt8
    var opcode: UInt8
  }

  public let rules: [Rule]
  private var entries: [Key: [Entry]] = [:]

  /// Indexes `rules`.
  ///
  /// - Throws: ``EncodingPatternError`` for a pattern that cannot be read.
  public init(_ rules: [Rule]) throws(EncodingPatternError) {
    self.rules = rules
    for (index, rule) in rules.enumerated() {
      for encoding in rule.encodings {
        let pattern = try EncodingPattern(parsing: encoding.pattern, modes: encoding.modes)
        let key = Key(space: pattern.space, map: pattern.map, opcode: pattern.opcode)
        entries[key, default: []].append(
          Entry(pattern: pattern, rule: index, text: encoding.text))
      }
    }
    for key in entries.keys {
      entries[key]?.sort { left, right in
        (-left.pattern.specificity, left.rule) < (-right.pattern.specificity, right.rule)
      }
    }
  }

  /// The filter for the sweep: what any rule could take in `mode`.
  public func filter(mode: DecodingMode) -> OpcodeFilter {
    OpcodeFilter(patterns: entries.values.joined().lazy.map(\.pattern), mode: mode)
  }

  /// The rule for an instruction: of several that fit, the one with the most conditions.
  public func match(
    _ encoding: InstructionEncoding, bytes: UnsafeRawBufferPointer, mode: DecodingMode
  ) -> Match? {
    let key = Key(space: encoding.space, map: encoding.map, opcode: encoding.opcode)
    guard let candidates = entries[key] else { return nil }
    guard
      let entry = candidates.first(where: {
        $0.pattern.matches(encoding, bytes: bytes, mode: mode)
      })
    else { return nil }
    return Match(rule: rules[entry.rule], text: entry.text)
  }
}
