// The sweep must see what a plain loop over the full decoder sees, on any bytes and any number of threads.

import Testing

@testable import Disassembly

struct SweepTests {
  private let patterns = [
    "0F 22 /3", "FA", "0F A2", "FF /3 m", "CC", "E6", "9D", "F3 0F 1E /1 r", "0F 01 F8",
    "VEX.F3.map7.W0 F6 /0 r",
  ]

  /// What the sweep promises, in the slowest and plainest way.
  private func plain(_ code: [UInt8], _ mode: DecodingMode, _ filter: OpcodeFilter) -> (
    wanted: [Int], undecodable: [Int]
  ) {
    let decoder = LengthDecoder(mode: mode)
    var wanted: [Int] = []
    var undecodable: [Int] = []
    code.withUnsafeBytes { buffer in
      var offset = 0
      while offset < buffer.count {
        guard let encoding = decoder.decode(buffer, at: offset) else {
          undecodable.append(offset)
          offset += 1
          continue
        }
        let isInt3 = encoding.map == 0 && encoding.opcode == 0xCC && encoding.space == .legacy
        if filter.wants(encoding), !isInt3 { wanted.append(offset) }
        offset += encoding.length
      }
    }
    return (wanted, undecodable)
  }

  @Test(arguments: DecodingMode.allCases)
  func run_onRandomBytes_equalsThePlainLoop(mode: DecodingMode) throws {
    let filter = try filter(patterns, mode)
    let sweep = Sweep(mode: mode, filter: filter)
    for seed in 0..<40 {
      var generator = Generator(state: UInt64(seed))
      let code = generator.bytes(5000)
      let expected = plain(code, mode, filter)
      let result = code.withUnsafeBytes { sweep.run($0, starts: [], jobs: 1) }
      let wanted = result.candidates.map(\.offset).filter { !isInt3(code, $0) }
      #expect(wanted == expected.wanted)
      #expect(result.undecodable == expected.undecodable)
      #expect(result.end == code.count)
    }
  }

  /// The opcode behind any prefixes is CC.
  private func isInt3(_ code: [UInt8], _ offset: Int) -> Bool {
    for mode in DecodingMode.allCases {
      let encoding = code.withUnsafeBytes { LengthDecoder(mode: mode).decode($0, at: offset) }
      if let encoding, encoding.map == 0, encoding.opcode == 0xCC { return true }
    }
    return false
  }

  @Test func run_withSeveralThreads_equalsOneThread() throws {
    let sweep = Sweep(mode: .bits64, filter: try filter(patterns))
    var generator = Generator(state: 7)
    var code = generator.bytes(3_000_000)
    // Padding here and there, as compilers leave it; sparse enough that most pieces begin out of step.
    for offset in stride(from: 1000, to: code.count - 8, by: 70_001) {
      for index in offset..<offset + 5 { code[index] = 0xCC }
    }
    let one = code.withUnsafeBytes { sweep.run($0, starts: [5, 900_001, 2_000_003], jobs: 1) }
    for jobs in [2, 3, 8] {
      let many = code.withUnsafeBytes {
        sweep.run($0, starts: [5, 900_001, 2_000_003], jobs: jobs)
      }
      #expect(many.candidates == one.candidates)
      #expect(many.undecodable == one.undecodable)
      #expect(many.instructions == one.instructions)
      #expect(many.paddingInt3 == one.paddingInt3)
    }
    let serial = code.withUnsafeBytes {
      sweep.run($0, from: 0, to: $0.count, starts: [5, 900_001, 2_000_003])
    }
    #expect(serial.candidates == one.candidates)
    #expect(serial.instructions == one.instructions)
  }

  private func offsets(_ hex: String, starts: [Int] = []) throws -> SweepResult {
    let sweep = Sweep(mode: .bits64, filter: try filter(patterns))
    return bytes(hex).withUnsafeBytes { sweep.run($0, starts: starts, jobs: 1) }
  }

  @Test func int3_aloneInTheFlow_isWanted_asPaddingIsCounted() throws {
    #expect(try offsets("cc").candidates.map(\.offset) == [0])
    #expect(try offsets("90 cc 90").candidates.map(\.offset) == [1])
    let behindReturn = try offsets("c3 cc 90")
    #expect(behindReturn.candidates.isEmpty && behindReturn.paddingInt3 == 1)
    let run = try offsets("90 cccccc 90")
    #expect(run.candidates.isEmpty && run.paddingInt3 == 3 && run.instructions == 5)
  }

  @Test func forcedEmulationPrefix_handsOutTheInstructionBehindIt() throws {
    let result = try offsets("90 0f0b78656e 0fa2 fa")
    #expect(result.candidates.map(\.offset) == [6, 8])
    #expect(result.candidates.first?.isForcedEmulation == true)
    #expect(result.ud2 == 0)
  }

  @Test func forcedEmulationPrefix_needsAnInstructionBehindIt() {
    let code = bytes("90 0f0b78656e 0fa2")
    code.withUnsafeBytes { buffer in
      #expect(ForcedEmulation.isPrefix(buffer, at: 1))
      for offset in [0, -1, 8, Int.max] {
        #expect(!ForcedEmulation.isPrefix(buffer, at: offset))
      }
      #expect(!ForcedEmulation.isPrefix(UnsafeRawBufferPointer(rebasing: buffer[0..<6]), at: 1))
    }
  }

  @Test func functionStart_insideAnInstruction_surfacesBothDecodings() throws {
    // mov eax, imm32 whose immediate is `cli; cpuid; nop`; a function starts at the cli.
    let result = try offsets("b8 fa0fa290 fa", starts: [1])
    #expect(result.missedStarts == [1])
    #expect(Set(result.candidates.filter { !$0.isOverlap }.map(\.offset)) == [1, 2, 5])
  }

  @Test func traps_areCounted() throws {
    let result = try offsets("0f0b 0fb9c0 0fffc0 0f0b")
    #expect(result.ud2 == 2 && result.ud1 == 1 && result.ud0 == 1)
  }

  @Test func undecodableBytes_areNamedOneByOne() throws {
    #expect(try offsets("90 06 07 90").undecodable == [1, 2])
    #expect(try offsets("90 48").undecodable == [1])
  }
}
