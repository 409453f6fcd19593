import Testing
import X86

/// Descriptors of 32-bit guests, whose addresses end at 0xfc200000 here.
@Suite struct CompatSegmentTests {
  private let end: UInt64 = 0xfc20_0000

  private func checked(_ value: UInt64) -> SegmentDescriptor? {
    SegmentDescriptor(rawValue: value).checkedForCompatGuest(end: end)
  }

  private func segment(base: UInt64, limit: UInt64, type: UInt64, flags: UInt64 = 0xc) -> UInt64 {
    limit & 0xffff | (base & 0xff_ffff) << 16 | (0x90 | type) << 40 | (limit & 0xf_0000) << 32
      | flags << 52 | (base & 0xff00_0000) << 32
  }

  @Test func ring0_becomesRing1_andOthersStay() {
    for ring in UInt64(0)..<4 {
      let value = segment(base: 0, limit: 0, type: 3) | ring << 45
      #expect(checked(value)?.privilegeLevel == max(ring, 1))
    }
  }

  @Test func code64_isRefused_whateverItsKind() {
    for type in UInt64(8)..<16 {
      for ring in UInt64(0)..<4 {
        let value = segment(base: 0, limit: 0xf_ffff, type: type, flags: 0xa) | ring << 45
        #expect(checked(value) == nil)
        #expect(checked(value & ~(1 << 47))?.rawValue == value & ~(1 << 47))
      }
    }
    // The bit says nothing of data.
    #expect(checked(segment(base: 0, limit: 0, type: 3, flags: 0xa)) != nil)
  }

  @Test(
    arguments: [
      0, 0x1000, 0x8000_0000, 0xfbff_f000, 0xfbff_fff0, 0xfc1f_f000, 0xfc1f_fff0,
    ] as [UInt64])
  func whatGrowsUpFromBelow_endsBeforeTheEnd(base: UInt64) throws {
    for flags in [0xc, 0x4] as [UInt64] {
      let unit: UInt64 = flags & 8 != 0 ? 0x1000 : 1
      let limit = min((0x1_0000_0000 - base) / unit - 1, 0xf_ffff)
      for type in [0, 3, 8, 0xb, 0xf] as [UInt64] {
        let value = segment(base: base, limit: limit, type: type, flags: flags)
        let found = try #require(checked(value))
        #expect(found.base == base)
        #expect(found.base + found.lastOffset < end)
        #expect(found.type == type)
        // No more than a page is lost.
        let wanted = min(base + (limit + 1) * unit, end)
        #expect(found.base + found.lastOffset + 0x1000 >= wanted)
      }
    }
  }

  @Test func whatWrapsRound_growsDownOrBeginsBehind_isNotCut() {
    for value in [
      segment(base: 0x1000, limit: 0xf_ffff, type: 3),
      segment(base: 0xfc00_0001, limit: 0xf_ffff, type: 3),
      segment(base: 0, limit: 0, type: 7), segment(base: 0, limit: 0xf_ffff, type: 7),
      segment(base: 0xfc20_0000, limit: 0x3ff, type: 3),
      segment(base: 0xffff_f000, limit: 0, type: 3),
    ] {
      #expect(checked(value)?.rawValue == value | 1 << 45)
    }
  }

  @Test func callGates_leadToNoneOfTheHypervisorsSegments() {
    for selector in stride(from: UInt64(0xe000), to: 0x10000, by: 1) where selector & 4 == 0 {
      let value = 0xec00_0000_0000 | selector << 16
      let isFlat = selector & ~3 == 0xe018 || selector & ~3 == 0xe028
      // Level 0, and the level that it had in the selector.
      let stored = value & ~(3 << 45) | 3 << 16
      #expect(checked(value)?.rawValue == (isFlat ? stored : nil))
      // What is stored stays as it is when it is looked at again.
      if isFlat { #expect(checked(stored)?.rawValue == stored) }
    }
    for type in UInt64(1)..<16 where type != 12 {
      #expect(checked(0xe000_0000_0000 | type << 40) == nil)
    }
  }
}
