import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct UpdateVAMappingTests {
  @Test func update_mapsAndUnmaps() throws {
    let guest = Booted()
    #expect(guest.map(20 << 12, guest.entry(9, 7)) == 0)
    #expect(guest.record(9).typeUses == 2)
    #expect(guest.map(20 << 12, 0) == 0)
    #expect(guest.record(9).typeUses == 1)
    try guest.bench.recount()
  }

  @Test(
    arguments: [
      1 << 21, 1 << 30, 1 << 39, 0xffff_8000_0000_0000, 0xffff_8010_0000_0000, 1 << 47,
      0xffff_ffff_ffff_f000,
    ] as [UInt64])
  func update_noTableThere_isInvalid(_ address: UInt64) throws {
    let guest = Booted()
    #expect(guest.map(address, guest.entry(9, 7)) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func update_throughALinearMapping_isInvalid() throws {
    let guest = Booted()
    // Slot 1 of the top table names itself: its entries would be taken for last-level ones.
    #expect(guest.update(guest.address(0, 1), guest.entry(0, 5)) == 0)
    let address: UInt64 = 1 << 39 | 1 << 30 | 1 << 21 | 1 << 12
    #expect(guest.map(address, guest.entry(9, 7)) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func update_flushModes_reachTheTLB() {
    let guest = Booted()
    let machine = guest.bench.machine
    #expect(guest.map(20 << 12, guest.entry(9, 7), flags: 2) == 0)
    #expect(machine.invalidated == [GuestVirtualAddress(20 << 12)])
    let flushes = machine.flushCount
    #expect(guest.map(20 << 12, 0, flags: 1) == 0)
    #expect(guest.map(20 << 12, 0, flags: 5) == 0)
    machine.poke([1], at: 128)
    #expect(guest.map(20 << 12, 0, flags: 1 | (FakeMachine.windowBase.value + 128)) == 0)
    #expect(machine.flushCount == flushes + 3)
    machine.poke([2], at: 128)
    #expect(guest.map(20 << 12, 0, flags: 1 | (FakeMachine.windowBase.value + 128)) == 0)
    #expect(machine.flushCount == flushes + 3, "the second vcpu runs nowhere")
    #expect(guest.map(20 << 12, 0, flags: 1 | 0xffff_8000_0000_0000) == Answer.fault)
  }

  @Test func update_otherDomain_needsPrivilege() throws {
    let guest = Booted()
    let other = guest.bench.makeDomain(2, frames: 1)
    let entry = other.frames[0].number << 12 | 7
    func call(_ domain: UInt64) -> Int64? {
      guest.bench.finish(HypercallArguments(20 << 12, entry, 0, domain)) {
        guest.bench.hypervisor.updateVAMapping(&$0, otherDomain: true, from: guest.caller)
      }
    }
    #expect(call(2) == Answer.permission)
    #expect(call(5) == Answer.noDomain)
    guest.caller.domain.pointee.isPrivileged = true
    #expect(call(2) == 0)
    try guest.bench.recount()
  }
}
