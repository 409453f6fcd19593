import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct UserAccessTests {
  /// A 32-bit domain with pages 4 and 5 for user mode, 6 for the kernel, and 7 under a table of level 2
  /// that is the kernel's.
  private func make() -> (bench: Bench, top: MachineFrame) {
    let bench = Bench()
    let (caller, frames) = bench.makeDomain(1, frames: 16, is32Bit: true)
    bench.prepare(frames[0], 0, frames[1], 1)
    bench.prepare(frames[0], 1, frames[8], 1)
    bench.prepare(frames[0], 3, frames[2], 1)
    bench.prepare(frames[1], 0, frames[3], 7)
    bench.prepare(frames[1], 1, frames[9], 3)
    for page in [4, 5] { bench.prepare(frames[3], page, frames[page], 7) }
    bench.prepare(frames[3], 6, frames[6], 3)
    bench.prepare(frames[9], 0, frames[7], 7)
    #expect(bench.extended(2, frames[0].number, from: caller) == 0)
    return (bench, frames[0])
  }

  @Test func kernelsPages_areFound_whereverTheRangeMeetsThem() {
    let (bench, top) = make()
    func first(_ address: UInt64, _ count: Int) -> UInt64? {
      bench.hypervisor.firstKernelAddress(
        in: GuestVirtualAddress(address), byteCount: count, under: top)?.value
    }
    #expect(first(0x4000, 4) == nil)
    #expect(first(0x4ffe, 4) == nil, "both pages are user mode's")
    #expect(first(0x5ffc, 4) == nil)
    #expect(first(0x5ffe, 4) == 0x6000)
    #expect(first(0x6010, 4) == 0x6010)
    #expect(first(0x6010, 0) == 0x6010)
    #expect(first(0x20_0000, 1) == 0x20_0000, "a table forbids it")
    #expect(first(0x3000, 4) == nil, "not mapped")
    #expect(first(0x5fff, 2) == 0x6000)
    #expect(first(0x4000_0000, 4) == nil)
    #expect(first(0xffff_ffff, 4) == nil)
    #expect(first(0xffff_ffff_ffff_fffe, 4) == nil)
  }
}
