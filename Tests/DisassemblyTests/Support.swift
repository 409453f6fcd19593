// What the tests of this module share: bytes from hexadecimal, and a generator that gives the same bytes on every run.

import Testing

@testable import Disassembly

func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.filter { !$0.isWhitespace }
  return stride(from: 0, to: digits.count, by: 2).compactMap { position in
    let start = digits.index(digits.startIndex, offsetBy: position)
    return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
  }
}

/// A linear congruential generator (Knuth's MMIX constants): the same sequence everywhere.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 33)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 24) }
  }
}

/// The length of the one instruction that `hex` spells, in `mode`; `nil` where it is none.
func length(_ hex: String, _ mode: DecodingMode = .bits64) -> Int? {
  bytes(hex).withUnsafeBytes { LengthDecoder(mode: mode).decode($0, at: 0)?.length }
}

/// A filter that wants the instructions of `patterns`.
func filter(_ patterns: [String], _ mode: DecodingMode = .bits64) throws -> OpcodeFilter {
  OpcodeFilter(patterns: try patterns.map { try EncodingPattern(parsing: $0) }, mode: mode)
}
