import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct MMUExtendedTests {
  @Test func pin_emptyTable_isTypedAndCounted() throws {
    let guest = Booted()
    for (level, frame) in [(0, 4), (1, 5), (2, 6), (3, 7)] as [(UInt64, Int)] {
      #expect(guest.extended(level, frame) == 0)
      #expect(guest.record(frame).type.level == Int(level) + 1)
      #expect(guest.extended(level, frame) == Answer.invalid, "pinned already")
      #expect(guest.extended((level + 1) % 4, frame) == Answer.invalid, "another level")
    }
    try guest.bench.recount()
  }

  @Test func basePointers_inTheNameOfAnotherDomain_areNotPermitted() throws {
    let guest = Booted(privileged: true)
    _ = guest.bench.makeDomain(2, frames: 4)
    for command in [5, 15] as [UInt64] {
      let result = guest.bench.extended(
        command, guest.frames[0].number, foreign: 2, from: guest.caller)
      #expect(result == Answer.permission)
    }
    try guest.bench.recount()
  }

  @Test func pin_writableFrame_isInvalid() throws {
    let guest = Booted()
    #expect(guest.extended(0, 9) == Answer.invalid)
    #expect(guest.update(guest.address(3, 9), guest.entry(9, 5)) == 0)
    #expect(guest.extended(0, 9) == 0)
    try guest.bench.recount()
  }

  @Test func pin_badEntries_leavesNothingBehind() throws {
    let guest = Booted()
    // The last entry is bad: all others are undone.
    for index in 0..<511 { guest.bench.prepare(guest.frames[4], index, guest.frames[8], 7) }
    guest.bench.prepare(guest.frames[4], 511, guest.frames[0], 7)
    let before = guest.record(8)
    #expect(guest.extended(0, 4) == Answer.busy)
    #expect(guest.record(8).references == before.references)
    #expect(guest.record(8).typeUses == before.typeUses)
    #expect(guest.record(4).typeUses == 0)
    try guest.bench.recount()
  }

  @Test func pin_tableWithAnEntryForItself_isRefusedAtEveryLevelAbove() throws {
    let guest = Booted()
    // A last-level table that maps itself writable would be writable and a table at once.
    guest.bench.prepare(guest.frames[4], 0, guest.frames[4], 7)
    #expect(guest.extended(0, 4) == Answer.busy)
    // A table of level 2 whose last-level table maps the former writable.
    guest.bench.prepare(guest.frames[5], 0, guest.frames[4], 7)
    guest.bench.prepare(guest.frames[4], 0, guest.frames[5], 7)
    #expect(guest.extended(1, 5) == Answer.busy)
    try guest.bench.recount()
  }

  @Test func unpin_notPinned_isInvalid() throws {
    let guest = Booted()
    #expect(guest.extended(4, 1) == Answer.invalid)
    #expect(guest.extended(4, 9) == Answer.invalid)
    #expect(guest.bench.extended(4, 0, from: guest.caller) == Answer.invalid)
    #expect(guest.bench.extended(4, 1 << 52, from: guest.caller) == Answer.invalid)
  }

  @Test func unpin_tableInUse_staysATable() throws {
    let guest = Booted()
    #expect(guest.extended(4, 0) == 0)
    #expect(guest.record(0).type == .level4)
    #expect(guest.record(0).typeUses == 1, "the base pointer")
    #expect(guest.update(guest.address(3, 20), guest.entry(0, 7)) == Answer.busy)
    try guest.bench.recount()
  }

  @Test func newBasePointer_otherTable_isLoadedAndOldOneGivenUp() throws {
    let guest = Booted()
    guest.bench.prepare(guest.frames[4], 0, guest.frames[1], 7)
    #expect(guest.extended(5, 4) == 0)
    #expect(guest.bench.machine.loadedTable == guest.frames[4])
    #expect(guest.record(0).typeUses == 1, "only the pin")
    #expect(guest.extended(5, 2) == Answer.invalid, "not of level 4")
    #expect(guest.bench.machine.loadedTable == guest.frames[4])
    try guest.bench.recount()
  }

  @Test func newUserBasePointer_zero_givesTheTableUp() throws {
    let guest = Booted()
    #expect(guest.extended(15, 4) == 0)
    #expect(guest.record(4).type == .level4)
    #expect(guest.record(4).typeUses == 1)
    #expect(guest.bench.extended(15, 0, from: guest.caller) == 0)
    #expect(guest.record(4).typeUses == 0)
    try guest.bench.recount()
  }

  @Test func reservedSlots_ofNewTables_areTheHypervisors() {
    let guest = Booted()
    for slot in 256...271 { guest.bench.prepare(guest.frames[4], slot, guest.frames[9], 7) }
    #expect(guest.extended(3, 4) == 0)
    // The M2P table's slot comes with the use as a kernel's table.
    #expect(guest.bench.machine.words(of: guest.frames[4])[256] == 0)
    #expect(guest.extended(5, 4) == 0)
    for slot in 0..<16 {
      #expect(
        guest.bench.machine.words(of: guest.frames[4])[256 + slot]
          == guest.bench.hypervisor.state.pointee.reservedEntries[slot])
    }
  }

  @Test func clearAndCopy_refuseTablesAndForeignFrames() throws {
    let guest = Booted()
    let other = guest.bench.makeDomain(2, frames: 1)
    guest.bench.machine.words(of: guest.frames[9])[3] = 77
    #expect(guest.extended(17, 10, guest.frames[9].number) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[10])[3] == 77)
    #expect(guest.extended(16, 10) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[10])[3] == 0)
    #expect(guest.extended(16, 3) == Answer.invalid)
    #expect(guest.extended(17, 3, guest.frames[9].number) == Answer.invalid)
    #expect(guest.extended(17, 10, other.frames[0].number) == Answer.invalid)
    #expect(guest.bench.extended(16, other.frames[0].number, from: guest.caller) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func flushes_reachOnlyGuestAddresses() {
    let guest = Booted()
    let machine = guest.bench.machine
    #expect(guest.bench.extended(7, 0x5000, from: guest.caller) == 0)
    #expect(machine.invalidated == [GuestVirtualAddress(0x5000)])
    #expect(guest.bench.extended(7, 0xffff_8000_0000_0000, from: guest.caller) == 0)
    #expect(guest.bench.extended(11, 1 << 50, from: guest.caller) == 0)
    #expect(machine.invalidated.count == 1)
    let flushes = machine.flushCount
    #expect(guest.bench.extended(6, 0, from: guest.caller) == 0)
    #expect(guest.bench.extended(10, 0, from: guest.caller) == 0)
    #expect(machine.flushCount == flushes + 2)
    #expect(guest.bench.extended(8, 0, 0x10, from: guest.caller) == Answer.invalid, "bad bitmap")
  }

  @Test func setLDT_checksAlignmentAndLimits() {
    let guest = Booted()
    #expect(guest.bench.extended(13, 0x5000, 8192, from: guest.caller) == 0)
    #expect(guest.bench.extended(13, 0x5008, 1, from: guest.caller) == Answer.invalid)
    #expect(guest.bench.extended(13, 0x5000, 8193, from: guest.caller) == Answer.invalid)
    #expect(
      guest.bench.extended(13, 0xffff_8000_0000_0000, 1, from: guest.caller) == Answer.invalid)
    #expect(
      guest.bench.extended(13, 0x7fff_ffff_f000, 8192, from: guest.caller) == Answer.invalid)
    #expect(guest.caller.vcpu.pointee.localTableCount == 8192)
  }

  @Test func rareCommands_answerTheirErrors() {
    let guest = Booted()
    #expect(guest.extended(12, 0) == Answer.access)
    #expect(guest.extended(18, 0) == Answer.invalid)
    #expect(guest.extended(14, 0) == Answer.noSuchCall)
    #expect(guest.extended(99, 0) == Answer.noSuchCall)
    #expect(guest.extended(19, 0) == -95)
  }
}
