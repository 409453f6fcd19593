import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct MemoryOperationTests {
  private let guest = Booted()
  private var base: UInt64 { FakeMachine.windowBase.value }

  private func call(_ command: UInt64) -> Int64? {
    guest.bench.finish(HypercallArguments(command, base)) {
      guest.bench.hypervisor.memoryOperation(&$0, from: guest.caller)
    }
  }

  private func reserve(
    _ command: UInt64, _ list: [UInt64], order: UInt64 = 0, domain: UInt64 = 0x7ff0
  ) -> Int64? {
    guest.bench.machine.poke([base + 1024, UInt64(list.count), order, domain], at: 0)
    guest.bench.machine.poke(list, at: 1024)
    return call(command)
  }

  @Test func decrease_unusedFrame_isFreed() throws {
    let free = guest.bench.hypervisor.state.pointee.freeCount
    #expect(guest.map(15 << 12, 0) == 0)
    #expect(reserve(1, [guest.frames[15].number]) == 1)
    #expect(guest.bench.hypervisor.state.pointee.freeCount == free + 1)
    #expect(guest.caller.domain.pointee.pageCount == 15)
    #expect(reserve(1, [guest.frames[15].number]) == 0, "given up already")
    try guest.bench.recount()
  }

  @Test func decrease_mappedFrame_isFreedWithItsLastMapping() throws {
    #expect(reserve(1, [guest.frames[15].number]) == 1)
    #expect(guest.caller.domain.pointee.pageCount == 16)
    try guest.bench.recount()
    #expect(guest.map(15 << 12, 0) == 0)
    #expect(guest.caller.domain.pointee.pageCount == 15)
    try guest.bench.recount()
  }

  @Test func decrease_pinnedTable_losesItsPin() throws {
    #expect(guest.extended(0, 4) == 0)
    #expect(guest.map(4 << 12, 0) == 0)
    #expect(reserve(1, [guest.frames[4].number]) == 1)
    #expect(guest.caller.domain.pointee.pageCount == 15)
    try guest.bench.recount()
  }

  @Test func decrease_tableInUse_doesNotFreeIt() throws {
    #expect(reserve(1, [guest.frames[0].number]) == 1)
    #expect(guest.record(0).type == .level4)
    #expect(guest.record(0).typeUses == 1)
    try guest.bench.recount()
  }

  @Test func decrease_foreignOrAbsentFrames_endTheWork() throws {
    let other = guest.bench.makeDomain(2, frames: 1)
    #expect(reserve(1, [guest.frames[15].number, other.frames[0].number]) == 1)
    #expect(reserve(1, [0]) == 0)
    #expect(reserve(1, [63]) == 0)
    #expect(reserve(1, [~0]) == 0)
    #expect(reserve(1, [~0 - 1], order: 1) == 0)
    try guest.bench.recount()
  }

  @Test(arguments: [UInt64(0), 1, 6])
  func lists_thatCannotBeReadOrAreOutOfReach_endTheWorkWithoutAnError(command: UInt64) throws {
    let bad = HypercallArguments(command, 0xffff_8300_0000_0000)
    let unreadable = guest.bench.finish(bad) {
      guest.bench.hypervisor.memoryOperation(&$0, from: guest.caller)
    }
    #expect(unreadable == 0)
    #expect(reserve(command, [guest.frames[15].number], domain: 77) == 0)
    #expect(guest.caller.domain.pointee.pageCount == 16)
    try guest.bench.recount()
  }

  @Test func decrease_progressWithAllBits_isNoError() throws {
    let answer = reserve(UInt64.max & ~0x3f | 1, [guest.frames[15].number])
    #expect(answer == Int64(UInt64.max >> 6))
    #expect(guest.caller.domain.pointee.pageCount == 16)
  }

  @Test func populate_fillsUpToTheLimitAndSetsTheM2P() throws {
    #expect(reserve(6, [100, 101, 102, 103, 104, 105]) == 4)
    for index in 0..<4 {
      let frame = MachineFrame(guest.bench.machine.peek(1024 + index * 8))
      #expect(guest.bench.hypervisor.physicalFrames[frame].number == 100 + UInt64(index))
    }
    #expect(guest.caller.domain.pointee.pageCount == 20)
    #expect(reserve(0, [0]) == 0)
    try guest.bench.recount()
  }

  @Test func populate_orders_areAlignedAndLimited() throws {
    #expect(reserve(6, [200], order: 2) == 1)
    #expect(guest.bench.machine.peek(1024) & 3 == 0)
    #expect(reserve(6, [200], order: 10) == 0)
    #expect(reserve(6, [200], order: 63) == 0)
    #expect(reserve(6, [200], order: 0xffff_ffff) == 0)
    try guest.bench.recount()
  }

  @Test func populate_unwritableList_givesTheFramesBack() throws {
    guest.bench.machine.poke([base + 1024, 1, 0, 0x7ff0], at: 0)
    guest.bench.machine.isWindowReadOnly = true
    let free = guest.bench.hypervisor.state.pointee.freeCount
    #expect(call(6) == 0)
    #expect(call(0) == 0)
    #expect(guest.bench.hypervisor.state.pointee.freeCount == free)
    try guest.bench.recount()
  }

  @Test func newFrames_areClearedOfWhatOthersLeft() {
    guest.bench.machine.words(of: guest.frames[15])[7] = 0x5ec2e7
    #expect(guest.map(15 << 12, 0) == 0)
    #expect(reserve(1, [guest.frames[15].number]) == 1)
    let other = guest.bench.makeDomain(2, frames: 1)
    #expect(other.frames[0] == guest.frames[15])
    #expect(guest.bench.machine.words(of: other.frames[0])[7] == 0)
  }

  @Test func progress_pastTheEnd_endsAtOnce() {
    #expect(reserve(6 | 5 << 6, [100]) == 5)
    guest.bench.machine.poke([base + 1024, ~0, 0, 0x7ff0], at: 0)
    #expect(call(6) == 0)
  }

  @Test func domains_areCheckedBeforeAnything() {
    _ = guest.bench.makeDomain(2, frames: 1)
    #expect(reserve(6, [100], domain: 2) == 0)
    #expect(reserve(6, [100], domain: 9) == 0)
    guest.bench.machine.poke([2], at: 0)
    #expect(call(3) == Answer.permission)
    guest.bench.machine.poke([0x7ff0], at: 0)
    #expect(call(3) == 16)
    #expect(call(4) == 20)
  }

  @Test func machphysMapping_tellsTheReadableTable() {
    #expect(call(12) == 0)
    #expect(guest.bench.machine.peek(0) == 0xffff_8000_0000_0000)
    #expect(guest.bench.machine.peek(8) == 0xffff_8040_0000_0000)
    #expect(guest.bench.machine.peek(16) == 63)
    #expect(call(2) == 62)
    #expect(call(9) == Answer.noSuchCall)
    #expect(call(63) == Answer.noSuchCall)
  }

  private func exchange(
    _ given: [UInt64], _ order: UInt64, _ wanted: [UInt64], _ wantedOrder: UInt64,
    done: UInt64 = 0, domain: UInt64 = 0x7ff0
  ) -> Int64? {
    guest.bench.machine.poke(
      [
        base + 1024, UInt64(given.count), order, 0x7ff0,
        base + 2048, UInt64(wanted.count), wantedOrder, domain, done,
      ], at: 0)
    guest.bench.machine.poke(given, at: 1024)
    guest.bench.machine.poke(wanted, at: 2048)
    return call(11)
  }

  @Test func exchange_singleFramesForARun() throws {
    for index in 12..<16 { #expect(guest.map(UInt64(index) << 12, 0) == 0) }
    let given = (12..<16).map { guest.frames[$0].number }
    #expect(exchange(given, 0, [300], 2) == 0)
    let run = guest.bench.machine.peek(2048)
    #expect(run & 3 == 0)
    #expect(guest.bench.hypervisor.physicalFrames[MachineFrame(run + 3)].number == 303)
    #expect(guest.bench.machine.peek(64) == 4)
    #expect(guest.caller.domain.pointee.pageCount == 16)
    for number in given where !(run..<run + 4).contains(number) {
      #expect(guest.bench.hypervisor.frames[MachineFrame(number)].pointee.references == 0)
    }
    try guest.bench.recount()
  }

  @Test func exchange_frameInUse_isInvalidAndKept() throws {
    #expect(guest.map(14 << 12, 0) == 0)
    #expect(
      exchange([guest.frames[14].number, guest.frames[15].number], 0, [300], 1) == Answer.invalid)
    #expect(guest.record(14).flags == .allocated)
    #expect(guest.bench.machine.peek(64) == 0)
    try guest.bench.recount()
  }

  @Test func exchange_twiceTheSameFrame_isInvalid() throws {
    #expect(guest.map(14 << 12, 0) == 0)
    let frame = guest.frames[14].number
    #expect(exchange([frame, frame], 0, [300, 301], 0) == 0 - 22)
    try guest.bench.recount()
  }

  @Test func exchange_badShapes_areRefused() {
    let frame = guest.frames[14].number
    #expect(exchange([frame], 0, [300, 301], 0) == Answer.invalid)
    #expect(exchange([frame], 60, [300], 60) == Answer.permission)
    #expect(exchange([frame], 0, [300], 0, domain: 9) == Answer.invalid)
    #expect(exchange([frame], 0, [300], 0, done: 2) == Answer.invalid)
    #expect(exchange([], 9, [], 0) == 0)
  }
}
