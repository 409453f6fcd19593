// Patterns: the manuals' notation read, matched and refused.

import Testing

@testable import Disassembly

struct EncodingPatternTests {
  private func matches(_ pattern: String, _ hex: String, _ mode: DecodingMode = .bits64) throws
    -> Bool
  {
    let pattern = try EncodingPattern(parsing: pattern)
    let code = bytes(hex)
    return try code.withUnsafeBytes { buffer in
      let encoding = try #require(LengthDecoder(mode: mode).decode(buffer, at: 0))
      return pattern.matches(encoding, bytes: buffer, mode: mode)
    }
  }

  @Test(arguments: [
    ("0F 22 /3", "0f22d8", true), ("0F 22 /3", "0f22e0", false), ("0F 01 C6", "0f01c6", true),
    ("NP 0F 01 CA", "0f01ca", true), ("NP 0F 01 CA", "f30f01ca", false),
    ("F3 0F 01 CA", "f30f01ca", true), ("F3 0F 01 CA", "66f30f01ca", true),
    ("66 0F 38 82 /r", "660f388207", true), ("0F AE /6 m", "0fae37", true),
    ("0F AE /6 m", "0faef0", false), ("0F AE /6 r", "0faef0", true), ("REX.W CF", "48cf", true),
    ("REX.W CF", "cf", false), ("REX.W0 CF", "cf", true), ("LOCK 0F 20 /0", "f00f20c0", true),
    ("LOCK 0F 20 /0", "0f20c0", false), ("CD ib=80", "cd80", true), ("CD ib=80", "cd81", false),
    ("VEX.F3.map7.W0 F6 /0 r", "c4e77af6c010000000", true), ("E4 ib", "e410", true),
    ("0F 3A F0 ib", "f30f3af0c001", true), ("0F 06", "0f06", true), ("FF /3 m", "ff1f", true),
  ])
  func matches_byTheManualsNotation(pattern: String, hex: String, expected: Bool) throws {
    #expect(try matches(pattern, hex) == expected)
  }

  @Test(arguments: [
    "", "NP", "0F 22 /9", "0F 22 /", "0F 22 /3 /4", "ZZ", "0F 01 C6 C7", "0F 01 C6 m", "/3",
    "VEX.mapX F6", "0F 22 ib=8", "m 0F 22", "F3",
  ])
  func parsing_ofWhatIsNoPattern_namesWhatIsExpected(text: String) {
    #expect(throws: EncodingPatternError.self) { try EncodingPattern(parsing: text) }
  }

  @Test func filter_letsThroughWhatMatches() throws {
    let filter = try filter(["FF /3 m", "0F 01 F8", "F3 0F 1E /1 r"])
    let cases = [
      ("ff1f", true), ("ffd0", false), ("ff27", false), ("0f01f8", true), ("0f0107", false),
      ("f30f1efa", false), ("f3480f1ec8", true), ("90", false),
    ]
    for (hex, expected) in cases {
      let encoding = try bytes(hex).withUnsafeBytes {
        try #require(LengthDecoder(mode: .bits64).decode($0, at: 0))
      }
      #expect(filter.wants(encoding) == expected, "\(hex)")
    }
  }
}
