import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct MemoryQueryTests {
  private var base: UInt64 { FakeMachine.windowBase.value }

  private func call(_ command: UInt64, of guest: Booted, at address: UInt64? = nil) -> Int64? {
    guest.bench.finish(HypercallArguments(command, address ?? base)) {
      guest.bench.hypervisor.memoryOperation(&$0, from: guest.caller)
    }
  }

  private func withMap() -> Booted {
    let guest = Booted(privileged: true)
    guest.bench.hypervisor.state.pointee.add(MachineRegion(start: 0, size: 0x9_f000, type: 1))
    guest.bench.hypervisor.state.pointee.add(MachineRegion(start: 0x9_f000, size: 0x1000, type: 2))
    return guest
  }

  @Test func machineMap_isWrittenInElementsOfTwentyBytes() {
    let guest = withMap()
    guest.bench.machine.poke([3, base + 64], at: 0)
    #expect(call(10, of: guest) == 0)
    #expect(guest.bench.machine.peek(half: 0) == 2)
    #expect(guest.bench.machine.peek(64) == 0)
    #expect(guest.bench.machine.peek(72) == 0x9_f000)
    #expect(guest.bench.machine.peek(half: 80) == 1)
    #expect(guest.bench.machine.peek(half: 84) == 0x9_f000)
    #expect(guest.bench.machine.peek(half: 92) == 0x1000)
    #expect(guest.bench.machine.peek(half: 100) == 2)
  }

  @Test func machineMap_nullBuffer_tellsTheNumber() {
    let guest = withMap()
    guest.bench.machine.poke([0, 0], at: 0)
    #expect(call(10, of: guest) == 0)
    #expect(guest.bench.machine.peek(half: 0) == 2)
  }

  @Test func machineMap_noRoomForOneMore_isInvalidAndWritesNothing() {
    let guest = withMap()
    guest.bench.machine.poke([2, base + 64, 7, 7, 7, 7, 7, 7, 7, 7], at: 0)
    #expect(call(10, of: guest) == Answer.invalid)
    #expect(guest.bench.machine.peek(72) == 7)
  }

  @Test func machineMap_badPointers_areFaults() {
    let guest = withMap()
    for bad in [0xffff_8300_0000_0000, UInt64.max - 15, 0x8000_0000_0000] {
      guest.bench.machine.poke([64, bad], at: 0)
      #expect(call(10, of: guest) == Answer.fault)
      #expect(call(10, of: guest, at: bad) == Answer.fault)
    }
  }

  @Test func machineMap_isNotForOthers() {
    #expect(call(10, of: Booted()) == Answer.permission)
  }

  @Test func machineMap_hasRoomForSoManyRegions() {
    let guest = Booted(privileged: true)
    for index in 0..<70 {
      guest.bench.hypervisor.state.pointee.add(
        MachineRegion(start: UInt64(index) << 12, size: 4096, type: 1))
    }
    #expect(guest.bench.hypervisor.state.pointee.machineRegionCount == 64)
  }

  @Test(arguments: [UInt64(7), 15, 23])
  func physicalMaps_areNotForPVDomains(command: UInt64) {
    let guest = Booted()
    guest.bench.machine.poke([0x7ff0, 0], at: 0)
    #expect(call(command, of: guest) == Answer.access)
    guest.bench.machine.poke([77, 0], at: 0)
    #expect(call(command, of: guest) == Answer.noDomain)
    #expect(call(command, of: guest, at: 0xffff_8300_0000_0000) == Answer.fault)
  }

  @Test func foreignFrames_areNotAddedOneByOne() {
    let guest = Booted()
    guest.bench.machine.poke([4 << 32 | 77, 0], at: 0)
    #expect(call(7, of: guest) == Answer.noSuchCall)
  }

  @Test func whatPVDomainsLack_isToldAsSuch() {
    let guest = Booted()
    guest.bench.machine.poke([0x7ff0, 0, 0, 0, 0x7ff0], at: 0)
    #expect(call(16, of: guest) == Answer.invalid)
    #expect(call(17, of: guest) == Answer.invalid)
    #expect(call(25, of: guest) == -95)
    #expect(call(26, of: guest) == -95)
  }
}
