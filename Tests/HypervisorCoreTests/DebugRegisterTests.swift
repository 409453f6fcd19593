import HypervisorCore
import Testing

@Suite struct DebugRegisterTests {
  var registers = DebugRegisters()

  private mutating func error(
    _ number: Int, _ value: UInt64, extensions: Bool = false
  ) -> DebugRegisterError? {
    do throws(DebugRegisterError) {
      try registers.write(number, value, hasExtensions: extensions)
      return nil
    } catch { return error }
  }

  @Test mutating func addresses_ofTheHypervisor_areRefused() {
    #expect(error(0, 0xffff_8000_0000_0000) == .forbidden)
    #expect(error(3, 0xffff_87ff_ffff_ffff) == .forbidden)
    #expect(error(1, 0x0000_8000_0000_0000) == .forbidden)
    #expect(error(2, 0xffff_8800_0000_0000) == nil)
    #expect(error(2, 0x0000_7fff_ffff_ffff) == nil)
  }

  @Test mutating func addresses_ofANarrowGuest_endWithIts() {
    for number in 0...3 {
      #expect(throws: DebugRegisterError.forbidden) {
        try registers.write(number, 0xfc00_0000, hasExtensions: false, end: 0xfc00_0000)
      }
      #expect(throws: Never.self) {
        try registers.write(number, 0xfbff_ffff, hasExtensions: false, end: 0xfc00_0000)
      }
    }
    #expect(registers.addresses[3] == 0xfbff_ffff)
  }

  @Test mutating func reservedBits_areCorrected() throws {
    #expect(error(7, 0xdbff) == nil)
    #expect(try registers.read(7, hasExtensions: false) == 0x7ff)
    #expect(error(6, 0xffff_ffff) == nil)
    #expect(try registers.read(6, hasExtensions: false) == 0xffff_efff)
    #expect(error(7, 1 << 32) == .malformed)
    #expect(error(7, 1 << 13) == .forbidden)
  }

  @Test mutating func registers4And5_areOthersOrAbsent() {
    #expect(error(4, 3) == nil)
    #expect(registers.status & 15 == 3)
    #expect(error(5, 3, extensions: true) == .absent)
    #expect(error(-1, 0) == .absent)
    #expect(error(8, 0) == .absent)
  }

  @Test mutating func portBreakpoints_needExtensions_andStayOutOfTheProcessor() {
    #expect(error(7, 0x20001) == .forbidden)
    #expect(error(7, 0x20000) == nil)
    #expect(error(0, 0x80) == nil)
    #expect(error(7, 0x20001, extensions: true) == nil)
    #expect(registers.hardwareControl == 0)
    #expect(registers.conditions(onPort: 0x80, byteCount: 1, hasExtensions: true) == 1)
    #expect(registers.conditions(onPort: 0x7d, byteCount: 4, hasExtensions: true) == 1)
    #expect(registers.conditions(onPort: 0x7c, byteCount: 4, hasExtensions: true) == 0)
    #expect(registers.conditions(onPort: 0x80, byteCount: 1, hasExtensions: false) == 0)
    // A breakpoint on data beside it goes to the processor.
    #expect(error(7, 0x120005, extensions: true) == nil)
    #expect(registers.hardwareControl == 0x120404)
  }
}
