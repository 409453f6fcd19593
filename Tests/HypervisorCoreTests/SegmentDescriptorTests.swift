import Testing
import X86

@Suite struct SegmentDescriptorTests {
  private func checked(_ value: UInt64) -> UInt64? {
    SegmentDescriptor(rawValue: value).checkedForGuest?.rawValue
  }

  @Test func segments_getRing3() {
    for type in UInt64(16)..<32 {
      let value = 0x00cf_8000_0000_ffff | type << 40
      #expect(checked(value) == value | 3 << 45)
    }
  }

  @Test func systemDescriptors_areRefused_butCallGatesWithoutAWay() {
    for type in UInt64(1)..<16 where type != 12 {
      #expect(checked(0xe000_0000_0000 | type << 40) == nil)
    }
    #expect(checked(0xec00_0008_0000) == 0x8c00_000b_0000)
  }

  @Test func callGates_toTheHypervisor_areRefused() {
    for selector in stride(from: UInt64(0xe000), to: 0x10000, by: 1)
    where selector & 4 == 0 && selector != 0xe033 {
      #expect(checked(0xec00_0000_0000 | selector << 16) == nil)
    }
    #expect(checked(0xec00_e033_0000) == 0x8c00_e033_0000)
    #expect(checked(0xec01_0008_0000) == nil)
  }

  @Test func anythingNotPresent_isKept() {
    #expect(checked(0xffff_7fff_ffff_ffff) == 0xffff_7fff_ffff_ffff)
    #expect(checked(0) == 0)
  }
}
