// Lengths from the manuals' tables, by the parts that make them: prefixes, maps, ModRM, SIB,
// displacements and immediates. Each case is padded with bytes that must not be read.

import Testing

@testable import Disassembly

struct LengthDecoderTests {
  @Test(arguments: [
    ("90", 1), ("4889e5", 3), ("488b0425 00100000", 8), ("48b8 1122334455667788", 10),
    ("b8 11223344", 5), ("66b8 1122", 4), ("6648b8 1122334455667788", 11),
    ("a0 1122334455667788", 9),
    ("67a0 11223344", 6), ("c8 001000", 4), ("c2 0800", 3), ("ca 0800", 3), ("e8 00000000", 5),
    ("66e8 00000000", 6), ("0f84 00000000", 6), ("eb00", 2), ("f6c1 01", 3), ("f6d1", 2),
    ("f7c1 01000000", 6), ("66f7c1 0100", 5), ("f7d1", 2), ("8d442410", 4), ("8d0425 00000000", 7),
    ("8d05 00000000", 6), ("8d842400100000", 7), ("8d80 00000000", 6), ("418d4500", 4),
    ("c6c000", 3), ("c7c0 00000000", 6), ("c7f8 00000000", 6), ("6b c0 01", 3),
    ("69c0 01000000", 6),
    ("0f20c0", 3), ("0f2000", 3), ("0f2004", 3), ("0f01d0", 3), ("0f05", 2), ("480f07", 3),
    ("0fa4c001", 4), ("0fbae001", 4), ("0f3806c1", 4), ("660f3a0fc101", 6), ("0f0fc1bf", 4),
    ("c5f877", 3), ("c5f9efc0", 4), ("c5f970c001", 5), ("c4e27d18c0", 5), ("c4e3fbf0c001", 6),
    ("62f17c48 28c0", 6), ("62f17c48284001", 7), ("62f3fd4826c001", 7), ("8fe97812c0", 5),
    ("8fe878c0c001", 6), ("8fea78 10c0 01000000", 9), ("8fc0", 2), ("660f78c00102", 6),
    ("f20f78c10102", 6), ("0f78c7", 3), ("f3480f1ec8", 5), ("c4e77af6c010000000", 9), ("f390", 2),
    ("0fb9c0", 3), ("0fffc0", 3), ("0f0b", 2), ("2e6665900f".replacing("0f", with: ""), 4),
  ])
  func length_ofInstructionIn64BitCode_isTheManuals(hex: String, expected: Int) {
    #expect(length(hex + "ffffffffffffffffffffffffffffffff") == expected)
  }

  @Test(arguments: [
    ("9a 11223344 5566", 7), ("669a 1122 3344", 6), ("ea 11223344 5566", 7), ("c500", 2),
    ("c400", 2),
    ("c5f877", 3), ("6205 00000000", 6), ("62f17c4828c0", 6), ("06", 1), ("0e", 1), ("63c8", 2),
    ("67 8b07", 3), ("67 8b46 01", 4), ("67 8b0e 0000", 5), ("a1 11223344", 5), ("67a1 1122", 4),
    ("d40a", 2), ("ce", 1), ("40", 1), ("0f24c0", 3), ("66e8 0000", 4), ("b8 00000000", 5),
  ])
  func length_ofInstructionIn32BitCode_isTheManuals(hex: String, expected: Int) {
    #expect(length(hex + "ffffffffffffffffffffffffffffffff", .bits32) == expected)
  }

  @Test(arguments: [
    ("b8 1122", 3), ("66b8 11223344", 6), ("9a 1122 3344", 5), ("66ea 11223344 5566", 8),
    ("8b07", 2), ("8b4601", 3), ("8b0e0000", 4), ("8b8e0000", 4), ("67 8b0425 00000000", 8),
    ("a1 1122", 3), ("e8 0000", 3), ("0f84 0000", 4), ("0f22c0", 3), ("c8 001000", 4),
  ])
  func length_ofInstructionIn16BitCode_isTheManuals(hex: String, expected: Int) {
    #expect(length(hex + "ffffffffffffffffffffffffffffffff", .bits16) == expected)
  }

  @Test(arguments: [
    "06", "0e", "27", "60", "82c001", "9a112233445566", "ce", "d40a", "d6", "ea112233445566",
    "0f04",
    "0f24c0", "0f26c0", "0f36", "0f7a00", "8ec8", "8cf0", "8fe0", "feD0", "fff8", "c6d000", "c7d0",
    "66c5f877", "f0c5f877", "48c5f877", "0fbac001", "c4e07af6c010000000", "62f07c0828c0",
  ])
  func decode_whereNoInstructionStarts_isNil(hex: String) {
    #expect(length(hex + "00000000000000000000000000") == nil)
  }

  @Test func decode_ofFifteenBytes_isAnInstruction_ofSixteen_isNone() {
    #expect(length("66666666666666666666666666 0f06".replacing(" ", with: "")) == 15)
    #expect(length("6666666666666666666666666666 0f06".replacing(" ", with: "")) == nil)
    #expect(length(String(repeating: "66", count: 40)) == nil)
  }

  @Test func decode_ofTruncatedCode_isNilAtEveryLength() {
    for hex in ["48b81122334455667788", "62f3fd4826c001", "c4e3fbf0c001", "8d842400100000"] {
      let whole = bytes(hex)
      for count in 0..<whole.count {
        let part = Array(whole[0..<count])
        #expect(part.withUnsafeBytes { LengthDecoder(mode: .bits64).decode($0, at: 0) } == nil)
      }
    }
  }

  @Test(arguments: DecodingMode.allCases)
  func decode_ofRandomBytes_staysInsideThem(mode: DecodingMode) {
    var generator = Generator(state: UInt64(mode.rawValue))
    let decoder = LengthDecoder(mode: mode)
    for _ in 0..<20_000 {
      let code = generator.bytes(Int(generator.next() % 20))
      code.withUnsafeBytes { buffer in
        guard let encoding = decoder.decode(buffer, at: 0) else { return }
        #expect((1...15).contains(encoding.length) && encoding.length <= code.count)
        #expect(encoding.opcodeOffset < encoding.length)
        #expect(encoding.immediateOffset + encoding.immediateLength <= encoding.length)
      }
    }
  }

  @Test func rex_countsOnlyDirectlyBeforeTheOpcode() throws {
    let decoder = LengthDecoder(mode: .bits64)
    let before = try #require(bytes("48 66 b8 1122").withUnsafeBytes { decoder.decode($0, at: 0) })
    #expect(before.rex == 0 && !before.isWide && before.length == 5)
    let after = try #require(
      bytes("66 48 b8 1122334455667788").withUnsafeBytes { decoder.decode($0, at: 0) })
    #expect(after.rex == 0x48 && after.isWide && after.length == 11)
  }
}
