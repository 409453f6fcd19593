import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct LinearTableTests {
  @Test func linear_ofItself_isReadOnlyAndCountsNothing() throws {
    let guest = Booted()
    let before = guest.record(0).references
    #expect(guest.update(guest.address(0, 1), guest.entry(0, 7)) == Answer.invalid)
    #expect(guest.update(guest.address(0, 1), guest.entry(0, 5)) == 0)
    #expect(guest.record(0).references == before)
    // Making it writable afterwards is the old trick.
    #expect(guest.update(guest.address(0, 1), guest.entry(0, 7)) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func linear_ofAnother_isCountedAndNeverAChain() throws {
    let guest = Booted()
    #expect(guest.extended(3, 4) == 0)
    #expect(guest.extended(3, 5) == 0)
    #expect(guest.update(guest.address(4, 0), guest.entry(5, 5)) == 0)
    #expect(guest.record(5).typeUses == 2)
    #expect(guest.update(guest.address(5, 0), guest.entry(4, 5)) == Answer.invalid, "a cycle")
    #expect(guest.update(guest.address(5, 0), guest.entry(0, 5)) == Answer.invalid, "a chain")
    #expect(guest.update(guest.address(0, 1), guest.entry(4, 5)) == Answer.invalid, "a chain")
    #expect(guest.update(guest.address(4, 0), guest.entry(5, 7)) == Answer.invalid, "writable")
    try guest.bench.recount()
    // The target outlives its pin as long as it is named.
    #expect(guest.extended(4, 5) == 0)
    #expect(guest.record(5).typeUses == 1)
    #expect(guest.extended(4, 4) == 0)
    #expect(guest.record(5).typeUses == 0)
    #expect(guest.record(5).linear == 0)
    try guest.bench.recount()
  }

  @Test func linear_ofAWrongLevel_isInvalid() throws {
    let guest = Booted()
    #expect(guest.update(guest.address(0, 1), guest.entry(3, 5)) == Answer.invalid)
    #expect(guest.update(guest.address(2, 1), guest.entry(0, 5)) == Answer.invalid)
    // A foreign table is none for this purpose.
    let other = guest.bench.makeDomain(2, frames: 1)
    #expect(guest.bench.extended(3, other.frames[0].number, from: other.caller) == 0)
    let foreign = other.frames[0].number << 12 | 5
    #expect(guest.update(guest.address(0, 1), foreign) == Answer.invalid)
    try guest.bench.recount()
  }
}

@Suite struct PreemptionTests {
  /// A full table of level 2 over six others would be long: it stops and goes on at each entry.
  private func makeTree(_ guest: Booted) {
    for index in 0..<64 {
      guest.bench.prepare(guest.frames[4], index, guest.frames[5 + index % 2], 7)
    }
    for index in 0..<512 { guest.bench.prepare(guest.frames[5], index, guest.frames[8], 7) }
    for index in 0..<512 { guest.bench.prepare(guest.frames[6], index, guest.frames[9], 5) }
  }

  @Test func pin_interruptedEverywhere_endsWithTheSameCounts() throws {
    for stop in 0..<40 {
      let guest = Booted()
      makeTree(guest)
      guest.bench.machine.preemptAfter = stop
      #expect(guest.extended(1, 4) == 0)
      try guest.bench.recount()
      #expect(guest.record(8).typeUses == 513)
      guest.bench.machine.preemptAfter = stop
      #expect(guest.extended(4, 4) == 0)
      #expect(guest.record(8).typeUses == 1)
      try guest.bench.recount()
    }
  }

  @Test func pin_interruptedAlways_makesProgress() throws {
    let guest = Booted()
    makeTree(guest)
    var arguments = HypercallArguments(FakeMachine.windowBase.value, 1, 0, 0x7ff0)
    guest.bench.machine.poke([1, guest.frames[4].number, 0], at: 0)
    var result = HypercallResult.again
    var turns = 0
    while result == .again, turns < 1000 {
      guest.bench.machine.preemptAfter = 2
      result = guest.bench.hypervisor.mmuExtendedOperation(&arguments, from: guest.caller)
      try guest.bench.recount()
      turns += 1
    }
    #expect(result == .value(0))
    #expect(turns > 10)
  }

  @Test func pin_leftHalfWay_isUndoneByAnotherUse() throws {
    let guest = Booted()
    makeTree(guest)
    guest.bench.machine.poke([1, guest.frames[4].number, 0], at: 0)
    var arguments = HypercallArguments(FakeMachine.windowBase.value, 1, 0, 0x7ff0)
    guest.bench.machine.preemptAfter = 5
    #expect(
      guest.bench.hypervisor.mmuExtendedOperation(&arguments, from: guest.caller) == .again)
    #expect(guest.record(4).flags.contains(.validating))
    try guest.bench.recount()
    // The guest never comes back, and wants the frame as memory instead.
    #expect(guest.map(20 << 12, guest.entry(4, 7)) == 0)
    #expect(guest.record(4).type == .writable)
    #expect(guest.record(8).typeUses == 1)
    try guest.bench.recount()
  }

  @Test func batch_interrupted_goesOnWhereItStopped() throws {
    let guest = Booted()
    var words: [UInt64] = []
    for index in 0..<32 { words += [guest.address(3, 100 + index), guest.entry(9, 7)] }
    guest.bench.machine.poke(words, at: 256)
    let base = FakeMachine.windowBase.value
    var arguments = HypercallArguments(base + 256, 32, base, 0x7ff0)
    guest.bench.machine.preemptAfter = 9
    #expect(guest.bench.hypervisor.mmuUpdate(&arguments, from: guest.caller) == .again)
    #expect(arguments[1] == 22 | 1 << 31)
    #expect(guest.bench.machine.peek(0) & 0xffff_ffff == 10)
    #expect(guest.bench.hypervisor.mmuUpdate(&arguments, from: guest.caller) == .value(0))
    #expect(guest.bench.machine.peek(0) & 0xffff_ffff == 32)
    #expect(guest.record(9).typeUses == 33)
    try guest.bench.recount()
  }
}

@Suite struct DescriptorTests {
  private func setGDT(_ guest: Booted, _ frames: [Int], _ entries: UInt64) -> Int64? {
    guest.bench.machine.poke(frames.map { guest.frames[$0].number }, at: 0)
    return guest.bench.finish(HypercallArguments(FakeMachine.windowBase.value, entries)) {
      guest.bench.hypervisor.setGDT(&$0, from: guest.caller)
    }
  }

  private func update(_ guest: Booted, _ address: UInt64, _ value: UInt64) -> Int64? {
    guest.bench.finish(HypercallArguments(address, value)) {
      guest.bench.hypervisor.updateDescriptor(&$0, from: guest.caller)
    }
  }

  @Test func setGDT_ringZeroSegment_isRaisedToRing3() throws {
    let guest = Booted()
    guest.bench.machine.words(of: guest.frames[4])[1] = 0x00af_9b00_0000_ffff
    #expect(setGDT(guest, [4], 512) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[4])[1] == 0x00af_fb00_0000_ffff)
    #expect(guest.record(4).type == .descriptors)
    try guest.bench.recount()
    #expect(setGDT(guest, [], 0) == 0)
    #expect(guest.record(4).typeUses == 0)
    try guest.bench.recount()
  }

  /// TSS, LDT, interrupt, trap and task gates and 16-bit call gates, whatever their DPL.
  @Test(arguments: (1...15 as ClosedRange<UInt64>).filter { $0 != 12 })
  func setGDT_systemDescriptor_isInvalid(_ type: UInt64) throws {
    let guest = Booted()
    for level in 0...3 as ClosedRange<UInt64> {
      let descriptor = 1 << 47 | level << 45 | type << 40
      guest.bench.machine.words(of: guest.frames[4])[511] = descriptor
      #expect(setGDT(guest, [4], 1) == Answer.invalid)
      #expect(update(guest, guest.address(9, 0), descriptor) == Answer.invalid)
    }
    #expect(guest.record(4).typeUses == 0)
    try guest.bench.recount()
  }

  @Test func setGDT_tablesWritableAndForeignFrames_areInvalid() throws {
    let guest = Booted()
    #expect(setGDT(guest, [3], 1) == Answer.invalid)
    #expect(setGDT(guest, [9], 1) == Answer.invalid)
    #expect(setGDT(guest, [4, 9], 513) == Answer.invalid)
    #expect(guest.record(4).typeUses == 0, "the first frame is given back")
    #expect(setGDT(guest, [4], 7169) == Answer.invalid)
    guest.bench.machine.poke([0], at: 0)
    #expect(setGDT(guest, [], 7168) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func descriptorPage_isNeverWritableOrATable() throws {
    let guest = Booted()
    #expect(setGDT(guest, [4, 4], 1024) == 0)
    #expect(guest.record(4).typeUses == 2)
    #expect(guest.update(guest.address(3, 20), guest.entry(4, 7)) == Answer.busy)
    #expect(guest.extended(0, 4) == Answer.invalid)
    #expect(guest.update(guest.address(4, 0), 0x00af_9b00_0000_ffff) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func updateDescriptor_checksTheValueAndThePlace() throws {
    let guest = Booted()
    #expect(setGDT(guest, [4], 512) == 0)
    #expect(update(guest, guest.address(4, 2), 0x00cf_9300_0000_ffff) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[4])[2] == 0x00cf_f300_0000_ffff)
    #expect(update(guest, guest.address(4, 2) + 4, 0) == Answer.invalid)
    #expect(update(guest, guest.address(3, 2), 0) == Answer.invalid, "a page table")
    #expect(update(guest, 0, 0) == Answer.invalid)
    #expect(update(guest, 1 << 60, 0) == Answer.invalid)
    try guest.bench.recount()
  }
}

@Suite struct WritableTableTests {
  private func store(
    _ guest: Booted, _ address: UInt64, _ value: UInt64, _ size: Int = 8, expected: UInt64? = nil
  ) -> UInt64? {
    try? guest.bench.hypervisor.emulateTableWrite(
      at: GuestVirtualAddress(address), value: value, byteCount: size, expected: expected,
      from: guest.caller)
  }

  @Test func store_toALastLevelTable_isAnUpdate() throws {
    let guest = Booted()
    #expect(store(guest, 3 << 12 | 20 << 3, guest.entry(9, 7)) == 0)
    #expect(guest.record(9).typeUses == 2)
    try guest.bench.recount()
    #expect(store(guest, 3 << 12 | 21 << 3, guest.entry(0, 7)) == nil, "a table, writable")
    try guest.bench.recount()
  }

  @Test func store_ofParts_isCheckedAsAWholeEntry() throws {
    let guest = Booted()
    // Clearing the lowest byte unmaps; setting it again maps, both through one byte.
    #expect(store(guest, 3 << 12 | 9 << 3, 0, 1) != nil)
    #expect(guest.record(9).typeUses == 0)
    try guest.bench.recount()
    #expect(store(guest, 3 << 12 | 0 << 3, 7, 1) == nil, "would map a table writable")
    #expect(store(guest, 3 << 12 | 9 << 3 | 4, 0, 8) == nil, "leaves its entry")
    #expect(store(guest, 3 << 12 | 9 << 3, 0, 9) == nil)
    #expect(store(guest, 3 << 12 | 9 << 3, 0, 0) == nil)
    try guest.bench.recount()
  }

  @Test func compareAndExchange_storesOnlyOnAMatch() throws {
    let guest = Booted()
    let place: UInt64 = 3 << 12 | 20 << 3
    #expect(store(guest, place, guest.entry(9, 7), expected: 1) == 0)
    #expect(guest.record(9).typeUses == 1)
    #expect(store(guest, place, guest.entry(9, 7), expected: 0) == 0)
    #expect(guest.record(9).typeUses == 2)
    try guest.bench.recount()
  }

  @Test func store_elsewhere_isTheGuestsFault() throws {
    let guest = Booted()
    #expect(store(guest, 2 << 12, 0) == nil, "an upper level")
    #expect(store(guest, 9 << 12, 0) == nil, "a writable mapping")
    #expect(store(guest, 5 << 12, 0) == nil, "no table")
    #expect(store(guest, 1 << 39, 0) == nil, "unmapped")
    #expect(store(guest, 0xffff_8000_0000_0000, 0) == nil)
    #expect(store(guest, ~0, 0, 1) == nil)
    try guest.bench.recount()
  }
}
