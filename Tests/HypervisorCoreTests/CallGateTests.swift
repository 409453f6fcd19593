import HypervisorCore
import HypervisorCoreTesting
import Testing
import X86

/// A gate to 0x100 with offset 0x12345678 and three parameters, as a checked table has it.
private func gate(level: UInt64, offset: UInt64 = 0x1234_5678) -> SegmentDescriptor {
  SegmentDescriptor(
    rawValue: offset & 0xffff | (0x100 | level) << 16 | 3 << 32 | 0x8c << 40
      | (offset >> 16) << 48)
}

private func code(ring: UInt64, conforming: Bool = false) -> SegmentDescriptor {
  let kind: UInt64 = conforming ? 0x9f : 0x9b
  return SegmentDescriptor(rawValue: 0x00cf_0000_0000_ffff | (kind | ring << 5) << 40)
}

@Suite struct CallGateTests {
  @Test func gate_isTakenApart() throws {
    let found = try #require(CallGate(gate(level: 3)))
    #expect(found.selector == 0x100 && found.level == 3)
    #expect(found.offset == 0x1234_5678 && found.parameterCount == 3)
    #expect(CallGate(SegmentDescriptor(rawValue: gate(level: 3).rawValue & ~(1 << 47))) == nil)
    #expect(CallGate(code(ring: 1)) == nil)
  }

  /// Every combination against the rules of the manual, said in another way.
  @Test func passage_isWhatTheManualSays() throws {
    for level in UInt64(0)...3 {
      let found = try #require(CallGate(gate(level: level)))
      for (ring, rpl) in [(1, 0), (1, 1), (1, 2), (1, 3), (3, 0), (3, 3)] as [(UInt64, UInt16)] {
        for target in UInt64(1)...3 {
          for (conforming, isCall) in [(false, false), (false, true), (true, false), (true, true)] {
            let passage = found.passage(
              isCall: isCall, by: 0x20 | rpl, from: ring,
              to: code(ring: target, conforming: conforming))
            let mayUse = ring <= level && UInt64(rpl) <= level
            let mayReach =
              conforming || !isCall
              ? (conforming ? target <= ring : target == ring) : target <= ring
            let expected: GatePassage =
              !mayUse
              ? .fault(vector: 13, errorCode: 0x20)
              : !mayReach
                ? .fault(vector: 13, errorCode: 0x100)
                : conforming || target == ring
                  ? .sameRing(0x100 | UInt16(ring)) : .innerRing(0x100 | UInt16(target))
            #expect(passage == expected)
          }
        }
      }
    }
  }

  @Test func passage_toWhatIsNoCode_isRefused() throws {
    let found = try #require(CallGate(gate(level: 3)))
    func passage(_ target: SegmentDescriptor?) -> GatePassage {
      found.passage(isCall: true, by: 0x23, from: 3, to: target)
    }
    let refused = GatePassage.fault(vector: 13, errorCode: 0x100)
    #expect(passage(nil) == refused)
    #expect(passage(SegmentDescriptor(rawValue: 0)) == refused)
    #expect(passage(gate(level: 3)) == refused)
    #expect(passage(SegmentDescriptor(rawValue: 0x00cf_b300_0000_ffff)) == refused, "data")
    let absent = SegmentDescriptor(rawValue: code(ring: 1).rawValue & ~(1 << 47))
    #expect(passage(absent) == .fault(vector: 11, errorCode: 0x100))
    let short = SegmentDescriptor(rawValue: 0x0040_bb00_0000_ffff)
    #expect(passage(short) == .fault(vector: 13, errorCode: 0), "the offset lies behind its limit")
    var null = found
    null.selector = 0
    let toNull = null.passage(isCall: true, by: 0x23, from: 3, to: code(ring: 1))
    #expect(toNull == .fault(vector: 13, errorCode: 0))
  }
}

@Suite struct FarTransferTests {
  private func decode(_ bytes: [UInt8]) -> (transfer: FarTransfer?, length: Int) {
    var words = [UInt64](repeating: 0, count: 2)
    for (index, byte) in bytes.enumerated() {
      words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
    }
    let fetched = FetchedBytes(low: words[0], high: words[1], count: bytes.count)
    guard var instruction = InstructionBytes(fetched, is32Bit: true) else { return (nil, 0) }
    let transfer = FarTransfer(&instruction)
    return (transfer, instruction.length)
  }

  @Test func directForms_holdTheirSelector() throws {
    let call = decode([0x9a, 0xef, 0xbe, 0xad, 0xde, 0x23, 0x01])
    #expect(call.transfer?.isCall == true && call.transfer?.selector == 0x123 && call.length == 7)
    let jump = decode([0x66, 0xea, 0xef, 0xbe, 0xfb, 0xff])
    #expect(jump.transfer?.isCall == false && jump.transfer?.selector == 0xfffb)
    #expect(jump.length == 6)
  }

  @Test func indirectForms_haveAnOperand() throws {
    let call = decode([0xff, 0x5f, 0x10])
    #expect(call.transfer?.isCall == true && call.transfer?.selector == nil && call.length == 3)
    #expect(call.transfer?.operand.base == 7 && call.transfer?.operand.displacement == 16)
    #expect(call.transfer?.offsetSize == 4)
    let jump = decode([0x66, 0xff, 0x2d, 0x00, 0x10, 0x00, 0xc0])
    #expect(jump.transfer?.isCall == false && jump.transfer?.offsetSize == 2)
  }

  @Test(
    arguments: [
      [0xff, 0xd7], [0xff, 0x17], [0xff, 0x27], [0xff, 0xdf], [0x9a, 0, 0, 0, 0, 0x23], [0xe8],
      [0x67, 0xff, 0x1f], [0xff], [0xcb],
    ] as [[UInt8]])
  func others_areNone(bytes: [UInt8]) {
    #expect(decode(bytes).transfer == nil)
  }
}
