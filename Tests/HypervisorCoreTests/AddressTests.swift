import HypervisorCore
import Testing

@Suite struct AddressTests {
  @Test func isGuestRange_wrappingLength_isRefused() {
    #expect(!GuestVirtualAddress(~0).isGuestRange(byteCount: 2))
    #expect(!GuestVirtualAddress(0xffff_8800_0000_0000).isGuestRange(byteCount: .max))
    #expect(GuestVirtualAddress(~0).isGuestRange(byteCount: 1))
  }

  @Test func isGuestRange_hypervisorRangeAndGap_areRefused() {
    #expect(!GuestVirtualAddress(0xffff_8000_0000_0000).isGuestRange(byteCount: 1))
    #expect(!GuestVirtualAddress(0xffff_87ff_ffff_ffff).isGuestRange(byteCount: 1))
    #expect(GuestVirtualAddress(0xffff_8800_0000_0000).isGuestRange(byteCount: 4096))
    #expect(!GuestVirtualAddress(0x7fff_ffff_fff8).isGuestRange(byteCount: 16))
    #expect(GuestVirtualAddress(0x7fff_ffff_fff8).isGuestRange(byteCount: 8))
    #expect(!GuestVirtualAddress(0x0000_8000_0000_0000).isGuestRange(byteCount: 1))
  }

  @Test func isGuestRange_rangeOverTheHole_isRefused() {
    let wholeUserHalf = GuestVirtualAddress(0x1000)
    #expect(!wholeUserHalf.isGuestRange(byteCount: 0xffff_8800_0000_0000))
  }

  @Test func index_picksNineBitsOfEachLevel() {
    let address = GuestVirtualAddress(0xffff_8800_1234_5678)
    #expect(address.index(level: 4) == 272)
    #expect(address.index(level: 3) == 0)
    #expect(address.index(level: 2) == 0x91)
    #expect(address.index(level: 1) == 0x145)
  }
}
