import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GuestPeekTests {
  @Test func peek_followsTheTablesToAWord() {
    let pair = GrantBench()
    let hypervisor = pair.bench.hypervisor
    pair.bench.machine.words(of: pair.own[9])[2] = 0x1234
    #expect(hypervisor.peek(GuestVirtualAddress((9 << 12) + 16), under: pair.own[0]) == 0x1234)
    #expect(hypervisor.peek(GuestVirtualAddress((9 << 12) + 17), under: pair.own[0]) == nil)
    #expect(
      hypervisor.peek(GuestVirtualAddress(400 << 12), under: pair.own[0]) == nil, "not mapped")
  }

  /// A stack pointer is whatever the guest has put there.
  @Test(
    arguments: [1 << 47, 0xffff_8000_0000_0000, 0xffff_8010_0000_0000, ~7, 1 << 39] as [UInt64])
  func peek_wildAddresses_areNothing(address: UInt64) {
    let pair = GrantBench()
    let found = pair.bench.hypervisor.peek(GuestVirtualAddress(address), under: pair.own[0])
    #expect(found == nil)
  }
}
