import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct LocalTableTests {
  private func setTable(_ guest: Booted, _ address: UInt64, _ count: UInt64) -> Int64? {
    guest.bench.extended(13, address, count, from: guest.caller)
  }

  private func take(_ guest: Booted, _ page: Int) -> MachineFrame? {
    try? guest.bench.hypervisor.takeLocalPage(page, for: guest.caller)
  }

  @Test func page_isTakenOnUse_andHeldAgainstWrites() throws {
    let guest = Booted()
    guest.bench.machine.words(of: guest.frames[4])[1] = 0x00cf_9300_0000_ffff
    #expect(setTable(guest, 4 << 12, 1024) == 0)
    #expect(guest.record(4).typeUses == 0)
    #expect(take(guest, 0) == guest.frames[4])
    #expect(take(guest, 0) == guest.frames[4])
    #expect(guest.record(4).type == .descriptors && guest.record(4).typeUses == 1)
    #expect(guest.bench.machine.words(of: guest.frames[4])[1] == 0x00cf_f300_0000_ffff)
    try guest.bench.recount()
    #expect(guest.map(4 << 12, guest.entry(4, 7)) == Answer.busy)
    #expect(guest.map(4 << 12, 0) == 0)
    #expect(guest.map(5 << 12, guest.entry(4, 7)) == Answer.busy)
    try guest.bench.recount()
    #expect(setTable(guest, 0, 0) == 0)
    #expect(guest.record(4).typeUses == 0)
    #expect(guest.map(5 << 12, guest.entry(4, 7)) == 0)
    try guest.bench.recount()
  }

  @Test func pages_beyondTheTable_writable_orWithBadDescriptors_areRefused() throws {
    let guest = Booted()
    guest.bench.machine.words(of: guest.frames[5])[0] = 0x8900_0000_0067
    #expect(setTable(guest, 4 << 12, 1025) == 0)
    #expect(take(guest, 1) == nil)
    #expect(take(guest, 3) == nil)
    #expect(take(guest, -1) == nil)
    #expect(take(guest, 16) == nil)
    #expect(setTable(guest, 8 << 12, 512) == 0)
    #expect(take(guest, 0) == nil)
    #expect(setTable(guest, 3 << 12, 512) == 0)
    #expect(take(guest, 0) == nil)
    try guest.bench.recount()
  }

  @Test func death_givesPagesBack() throws {
    let guest = Booted()
    #expect(setTable(guest, 4 << 12, 8192) == 0)
    #expect(take(guest, 0) != nil && take(guest, 1) != nil)
    guest.bench.hypervisor.dropTables(of: guest.caller.vcpu)
    #expect(guest.record(4).typeUses == 0 && guest.record(5).typeUses == 0)
    try guest.bench.recount()
  }
}
