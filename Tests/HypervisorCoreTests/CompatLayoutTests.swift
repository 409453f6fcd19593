import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing
import X86

@Suite struct CompatLayoutTests {
  /// Sizes as abi/ has them: x86_32, and the C structures of x86_64.
  @Test(arguments: [
    ("llwwh", 20, MemoryLayout<xen_memory_reservation>.size),
    ("llwwhAllwwhAl", 44, MemoryLayout<xen_memory_exchange>.size),
    ("lll", 12, MemoryLayout<xen_machphys_mapping>.size),
    ("wl", 8, MemoryLayout<xen_memory_map>.size),
    ("hwhl", 16, MemoryLayout<gnttab_setup_table>.size),
    ("lhhAlhhAhhh", 24, MemoryLayout<gnttab_copy>.size),
    ("lhwh", 16, MemoryLayout<gnttab_transfer>.size),
    ("lwq", 16, MemoryLayout<sched_poll>.size),
  ])
  func sizes_areThoseOfTheABI(fields: String, narrow: Int, wide: Int) {
    let size = Self.layout(fields).size
    #expect(size.narrow == narrow)
    #expect(size.wide == wide)
  }

  private static func layout(_ fields: String) -> CompatLayout {
    switch fields {
    case "llwwh": CompatLayout("llwwh")
    case "llwwhAllwwhAl": CompatLayout("llwwhAllwwhAl")
    case "lll": CompatLayout("lll")
    case "wl": CompatLayout("wl")
    case "hwhl": CompatLayout("hwhl")
    case "lhhAlhhAhhh": CompatLayout("lhhAlhhAhhh")
    case "lhwh": CompatLayout("lhwh")
    default: CompatLayout("lwq")
    }
  }

  @Test func populatePhysmap_readsAndWritesWordsOf32Bits() throws {
    let bench = Bench()
    let (caller, _) = bench.makeDomain(1, frames: 8, is32Bit: true)
    let base = UInt32(FakeMachine.windowBase.value)
    // extent_start, nr_extents, extent_order, mem_flags, domid; then the list.
    for (index, half) in [base + 64, 2, 0, 0, 0x7ff0].enumerated() {
      bench.machine.poke(half: half, at: index * 4)
    }
    bench.machine.poke(half: 100, at: 64)
    bench.machine.poke(half: 101, at: 68)
    let result = bench.finish(HypercallArguments(6, UInt64(base))) {
      bench.hypervisor.compatMemoryOperation(&$0, from: caller)
    }
    #expect(result == 2)
    for (offset, place) in [(64, 100), (68, 101)] as [(Int, UInt64)] {
      let frame = MachineFrame(UInt64(bench.machine.peek(half: offset)))
      #expect(bench.hypervisor.frames[frame].pointee.owner == DomainID(1))
      #expect(bench.hypervisor.physicalFrames[frame] == PseudoPhysicalFrame(place))
    }
    try bench.recount()
  }

  @Test func machphysMapping_isInTheReservedTop() throws {
    let bench = Bench()
    let (caller, _) = bench.makeDomain(1, frames: 2, is32Bit: true)
    let base = FakeMachine.windowBase.value
    let result = bench.finish(HypercallArguments(12, base)) {
      bench.hypervisor.compatMemoryOperation(&$0, from: caller)
    }
    #expect(result == 0)
    #expect(bench.machine.peek(half: 0) == 0xfc00_0000)
    #expect(bench.machine.peek(half: 4) == 0xfc20_0000)
    #expect(bench.machine.peek(half: 8) == 63)
  }

  @Test func badPointers_areFaults() {
    let bench = Bench()
    let (caller, _) = bench.makeDomain(1, frames: 2, is32Bit: true)
    for command in [11, 12] as [UInt64] {
      let result = bench.finish(HypercallArguments(command, 0x1000)) {
        bench.hypervisor.compatMemoryOperation(&$0, from: caller)
      }
      #expect(result == Answer.fault)
    }
    // Of a reservation that cannot be read no extent is done.
    let result = bench.finish(HypercallArguments(6, 0x1000)) {
      bench.hypervisor.compatMemoryOperation(&$0, from: caller)
    }
    #expect(result == 0)
  }
}

@Suite struct CompatDescriptorTests {
  private func checked(_ value: UInt64, end: UInt64 = 0xfc20_0000) -> UInt64? {
    SegmentDescriptor(rawValue: value).checkedForCompatGuest(end: end)?.rawValue
  }

  @Test func ring0_becomesRing1() {
    #expect(checked(0x00c0_9b00_0000_ffff) == 0x00c0_bb00_0000_ffff)
    for ring in UInt64(1)..<4 {
      let value = 0x00c0_9b00_0000_ffff | ring << 45
      #expect(checked(value) == value)
    }
  }

  @Test func code64_isRefused_inEveryRing() {
    for ring in UInt64(0)..<4 { #expect(checked(0x00a0_9b00_0000_ffff | ring << 45) == nil) }
    // The bit means nothing in data.
    #expect(checked(0x00e0_b300_0000_ffff) == 0x00e0_b300_0000_ffff)
  }

  @Test func limits_endWithTheWindow() {
    #expect(checked(0x00cf_b300_0000_ffff) == 0x00cf_b300_000f_c1ff & ~0xf_0000 | 0xf << 48)
    // Bytes, not pages: it does not reach so far.
    #expect(checked(0x004f_b300_0000_ffff) == 0x004f_b300_0000_ffff)
    // A base with which it wraps round at 4 GiB, as thread-local storage has it.
    #expect(checked(0xb7cf_f3f0_0000_ffff) == 0xb7cf_f3f0_0000_ffff)
    // Growing down.
    #expect(checked(0x00cf_b700_0000_ffff) == 0x00cf_b700_0000_ffff)
  }

  @Test func callGates_leadToNoneOfTheHypervisors() {
    for selector in stride(from: UInt64(0xe000), to: 0x10000, by: 1)
    where selector & 4 == 0 && selector & ~3 != 0xe018 && selector & ~3 != 0xe028 {
      #expect(checked(0xec00_0000_0000 | selector << 16) == nil)
    }
    #expect(checked(0xec00_e018_0000) == 0x8c00_e01b_0000)
    #expect(checked(0xac00_e02b_0000) == 0x8c00_e029_0000)
  }

  @Test func otherSystemDescriptors_areRefused() {
    for type in UInt64(1)..<16 where type != 12 {
      #expect(checked(0xe000_0000_0000 | type << 40) == nil)
    }
  }
}
