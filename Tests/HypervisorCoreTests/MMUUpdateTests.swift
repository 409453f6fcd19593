import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct MMUUpdateTests {
  @Test func mmuUpdate_ownFrame_isMappedForRing3AndGlobal() throws {
    let guest = Booted()
    #expect(guest.update(guest.address(3, 20), guest.entry(9, 3)) == 0)
    // Without the user bit the entry is marked as the kernel's.
    #expect(
      guest.bench.machine.words(of: guest.frames[3])[20] == guest.entry(9, 7) | 1 << 52)
    #expect(guest.update(guest.address(3, 21), guest.entry(9, 7)) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[3])[21] == guest.entry(9, 0x107))
    try guest.bench.recount()
  }

  @Test func mmuUpdate_pageTableWritable_isBusy() throws {
    let guest = Booted()
    for table in 0..<4 {
      #expect(guest.update(guest.address(3, 20), guest.entry(table, 7)) == Answer.busy)
    }
    #expect(guest.bench.machine.words(of: guest.frames[3])[20] == 0)
    try guest.bench.recount()
  }

  @Test func mmuUpdate_foreignFrame_isBusy() throws {
    let guest = Booted()
    let other = guest.bench.makeDomain(2, frames: 2)
    let stolen = other.frames[0].number << 12
    #expect(guest.update(guest.address(3, 20), stolen | 5) == Answer.busy)
    #expect(guest.update(guest.address(3, 20), 0 << 12 | 5) == Answer.busy, "hypervisor's frame")
    #expect(guest.update(guest.address(3, 20), 63 << 12 | 5) == Answer.permission, "I/O memory")
    #expect(guest.update(guest.address(3, 20), 0x000f_ffff_ffff_f005) == Answer.permission)
    #expect(guest.update(stolen, 0) == Answer.invalid, "writing into a foreign frame")
    try guest.bench.recount()
  }

  @Test func mmuUpdate_foreignDomain_isRefusedToOrdinaryGuests() throws {
    let guest = Booted()
    let other = guest.bench.makeDomain(2, frames: 2)
    let stolen = other.frames[0].number << 12
    #expect(guest.update(guest.address(3, 20), stolen | 5, foreign: 2) == Answer.permission)
    #expect(guest.update(stolen, 0, foreign: 0x3_7ff0) == Answer.permission)
    #expect(guest.update(stolen, 0, foreign: 77) == Answer.noDomain)
    #expect(guest.update(stolen, 0, foreign: 0x7ff1) == Answer.permission)
    #expect(guest.update(stolen, 0, foreign: 0x7ff2) == Answer.noDomain)
  }

  @Test func mmuUpdate_privilegedForeign_mapsAndCountsTheOthersFrame() throws {
    let guest = Booted(privileged: true)
    let other = guest.bench.makeDomain(2, frames: 2)
    let frame = other.frames[0]
    #expect(guest.update(guest.address(3, 20), frame.number << 12 | 7, foreign: 2) == 0)
    #expect(guest.bench.hypervisor.frames[frame].pointee.typeUses == 1)
    try guest.bench.recount()
    // Mapped here, it can be no table there.
    #expect(guest.bench.extended(0, frame.number, from: other.caller) == Answer.invalid)
    #expect(guest.update(guest.address(3, 20), 0) == 0)
    #expect(guest.bench.extended(0, frame.number, from: other.caller) == 0)
    try guest.bench.recount()
  }

  @Test func mmuUpdate_reservedSlots_areRefused() throws {
    let guest = Booted()
    for slot in 256...271 {
      #expect(guest.update(guest.address(0, slot), guest.entry(1, 7)) == Answer.invalid)
      #expect(guest.update(guest.address(0, slot), 0) == Answer.invalid)
    }
    #expect(guest.update(guest.address(0, 272), guest.entry(1, 7)) == 0)
    #expect(guest.update(guest.address(0, 255), guest.entry(1, 7)) == 0)
    try guest.bench.recount()
  }

  @Test func mmuUpdate_refusedFlags_areInvalid() throws {
    let guest = Booted()
    for flag in [3, 4, 7, 8] as [UInt64] {
      #expect(
        guest.update(guest.address(2, 1), guest.entry(3, 7 | 1 << flag)) == Answer.invalid)
      #expect(guest.update(guest.address(2, 0), guest.entry(3, 7 | 1 << flag)) == Answer.invalid)
    }
    for flag in [3, 4, 7] as [UInt64] {
      #expect(
        guest.update(guest.address(3, 20), guest.entry(9, 7 | 1 << flag)) == Answer.invalid)
      #expect(guest.update(guest.address(3, 9), guest.entry(9, 7 | 1 << flag)) == Answer.invalid)
    }
    #expect(guest.update(guest.address(3, 20), guest.entry(9, 7) | 1 << 63) == 0)
    try guest.bench.recount()
  }

  @Test func mmuUpdate_wrongLevel_isInvalid() throws {
    let guest = Booted()
    #expect(guest.update(guest.address(1, 1), guest.entry(3, 7)) == Answer.invalid, "L3 to L1")
    #expect(guest.update(guest.address(0, 1), guest.entry(2, 7)) == Answer.invalid, "L4 to L2")
    #expect(guest.update(guest.address(2, 1), guest.entry(1, 7)) == Answer.invalid, "L2 to L3")
    try guest.bench.recount()
  }

  @Test func mmuUpdate_misalignedEntry_isInvalid() {
    let guest = Booted()
    #expect(guest.update(guest.address(3, 20) + 4, guest.entry(9, 7)) == Answer.invalid)
  }

  @Test func mmuUpdate_ordinaryMemory_isJustWritten() throws {
    let guest = Booted()
    #expect(guest.update(guest.address(12, 5), 0x1234_5678_9abc_def1) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[12])[5] == 0x1234_5678_9abc_def1)
    try guest.bench.recount()
  }

  @Test func mmuUpdate_preserveAD_keepsWhatTheProcessorSet() {
    let guest = Booted()
    let word = guest.bench.machine.words(of: guest.frames[3]) + 9
    word.pointee |= 0x60
    #expect(guest.update(guest.address(3, 9) | 2, guest.entry(9, 7)) == 0)
    #expect(word.pointee & 0x60 == 0x60)
    #expect(guest.update(guest.address(3, 9), guest.entry(9, 7)) == 0)
    #expect(word.pointee & 0x60 == 0)
  }

  @Test func mmuUpdate_machphys_setsOnlyOwnEntries() {
    let guest = Booted()
    let other = guest.bench.makeDomain(2, frames: 1)
    #expect(guest.update(guest.address(9, 0) | 1, 99) == 0)
    #expect(guest.bench.hypervisor.physicalFrames[guest.frames[9]].number == 99)
    #expect(guest.update(other.frames[0].number << 12 | 1, 99) == Answer.invalid)
    #expect(guest.bench.hypervisor.physicalFrames[other.frames[0]].number == 0)
    #expect(guest.update(1 << 40 | 1, 99) == Answer.invalid)
  }

  @Test func mmuUpdate_batch_countsWhatWasDoneBeforeTheError() throws {
    let guest = Booted()
    let machine = guest.bench.machine
    machine.poke(
      [
        guest.address(3, 20), guest.entry(9, 7), guest.address(3, 21), guest.entry(0, 7),
        guest.address(3, 22), guest.entry(9, 7),
      ], at: 64)
    let base = FakeMachine.windowBase.value
    let result = guest.bench.finish(HypercallArguments(base + 64, 3, base, 0x7ff0)) {
      guest.bench.hypervisor.mmuUpdate(&$0, from: guest.caller)
    }
    #expect(result == Answer.busy)
    #expect(machine.peek(0) & 0xffff_ffff == 1)
    #expect(machine.words(of: guest.frames[3])[22] == 0)
    try guest.bench.recount()
  }

  @Test(arguments: [40, 70])
  func mmuUpdate_arrayOfSeveralPieces_isDoneInOrder(_ count: Int) throws {
    let guest = Booted()
    let machine = guest.bench.machine
    machine.poke((0..<count).flatMap { [guest.address(12, $0), UInt64($0) + 5] }, at: 64)
    let base = FakeMachine.windowBase.value
    // Interrupted after each few elements, it goes on where it stopped.
    machine.preemptAfter = 7
    let result = guest.bench.finish(HypercallArguments(base + 64, UInt64(count), base, 0x7ff0)) {
      guest.bench.hypervisor.mmuUpdate(&$0, from: guest.caller)
    }
    #expect(result == 0)
    #expect(machine.peek(half: 0) == UInt32(count))
    for index in 0..<count {
      #expect(machine.words(of: guest.frames[12])[index] == UInt64(index) + 5)
    }
    try guest.bench.recount()
  }

  @Test func mmuUpdate_arrayThatRunsOutOfMemory_isDoneSoFar() throws {
    let guest = Booted()
    let machine = guest.bench.machine
    let offset = FakeMachine.windowSize - 3 * 16
    machine.poke((0..<3).flatMap { [guest.address(12, $0), UInt64($0) + 5] }, at: offset)
    let base = FakeMachine.windowBase.value
    let arguments = HypercallArguments(base + UInt64(offset), 9, base, 0x7ff0)
    let result = guest.bench.finish(arguments) {
      guest.bench.hypervisor.mmuUpdate(&$0, from: guest.caller)
    }
    #expect(result == Answer.fault)
    #expect(machine.peek(half: 0) == 3)
    for index in 0..<3 {
      #expect(machine.words(of: guest.frames[12])[index] == UInt64(index) + 5)
    }
    try guest.bench.recount()
  }

  @Test(arguments: [
    (0xffff_8000_0000_0000 as UInt64, 1 as UInt64), (~0xf, 2), (0x7fff_ffff_fff0, 2), (0x1000, 1),
    (0xffff_8800_0000_0000, 0x7fff_ffff),
  ])
  func mmuUpdate_badArray_isFault(_ base: UInt64, _ count: UInt64) {
    let guest = Booted()
    let result = guest.bench.finish(HypercallArguments(base, count, 0, 0x7ff0)) {
      guest.bench.hypervisor.mmuUpdate(&$0, from: guest.caller)
    }
    #expect(result == Answer.fault)
  }

  @Test func mmuUpdate_removingATable_makesItsFramesOrdinary() throws {
    let guest = Booted()
    #expect(guest.update(guest.address(1, 0), 0) == 0)
    for frame in 2..<4 { #expect(guest.record(frame).typeUses == 0) }
    #expect(guest.record(9).typeUses == 0, "no longer mapped writable")
    try guest.bench.recount()
  }
}
