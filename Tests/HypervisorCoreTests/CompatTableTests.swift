import HypervisorCore
import HypervisorCoreTesting
import Testing

/// A 32-bit domain whose frames are: 0 its table of level 3; 1 and 2 those of level 2 under entries 0 and
/// 3; 3 that of level 1, which maps all its frames from address 0 on, those below 8 read-only.
private struct CompatBooted {
  let bench = Bench()
  let caller: Caller
  let frames: [MachineFrame]

  init() {
    (caller, frames) = bench.makeDomain(1, frames: 16, is32Bit: true)
    bench.prepare(frames[0], 0, frames[1], 1)
    bench.prepare(frames[0], 3, frames[2], 1)
    bench.prepare(frames[1], 0, frames[3], 7)
    for (index, frame) in frames.enumerated() {
      bench.prepare(frames[3], index, frame, index < 8 ? 1 : 3)
    }
  }

  func words(_ frame: Int) -> UnsafeMutablePointer<UInt64> {
    bench.machine.words(of: frames[frame])
  }

  func extended(_ command: UInt64, _ frame: Int) -> Int64? {
    bench.extended(command, frames[frame].number, from: caller)
  }

  func update(_ frame: Int, _ index: Int, _ value: UInt64) -> Int64? {
    bench.mmuUpdate(frames[frame].number << 12 | UInt64(index) << 3, value, from: caller)
  }

  func start() {
    #expect(extended(2, 0) == 0)
    #expect(extended(5, 0) == 0)
  }
}

@Suite struct CompatTableTests {
  @Test func threeLevels_areValidated_andStandUnderTheMonitorTable() throws {
    let guest = CompatBooted()
    guest.words(0)[77] = 0x1234_5007
    guest.start()
    let monitor = try #require(guest.caller.vcpu.pointee.monitorTable)
    #expect(guest.bench.machine.loadedTable == monitor)
    let top = guest.bench.machine.words(of: monitor)
    #expect(top[0] == guest.frames[0].number << 12 | 0x27)
    #expect(top[257] == guest.bench.hypervisor.state.pointee.reservedEntries[1])
    #expect(top[256] == 0, "the M2P table of 64-bit guests")
    #expect(guest.words(0)[77] == 0, "the processor sees the whole page")
    #expect(guest.words(0)[0] & 7 == 7)
    #expect(guest.words(3)[9] & 7 == 3, "a page of ring 1 stays one")
    let reserved = guest.words(2)
    #expect(reserved[480] & 0x000f_ffff_ffff_f000 == Bench.compatWindow.number << 12)
    #expect(reserved[480] & 7 == 1)
    #expect((481..<512).allSatisfy { reserved[$0] == 0 })
    try guest.bench.recount()
  }

  @Test func top_withoutItsFourthEntry_isInvalid() throws {
    let guest = CompatBooted()
    guest.words(0)[3] = 0
    #expect(guest.extended(2, 0) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func top_inItself_isInvalid() throws {
    let guest = CompatBooted()
    guest.bench.prepare(guest.frames[0], 1, guest.frames[0], 1)
    #expect(guest.extended(2, 0) == Answer.invalid)
    guest.words(0)[1] = 0
    guest.start()
    #expect(guest.update(0, 1, guest.frames[0].number << 12 | 1) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func hypervisorsEntries_areNotToBeHad() throws {
    let guest = CompatBooted()
    guest.start()
    #expect(guest.update(0, 3, guest.frames[2].number << 12 | 1) == Answer.invalid)
    #expect(guest.update(0, 3, 0) == Answer.invalid)
    for index in [4, 511] { #expect(guest.update(0, index, 0) == Answer.invalid) }
    for index in 480..<512 {
      #expect(guest.update(2, index, 0) == Answer.invalid)
      #expect(guest.update(2, index, guest.frames[3].number << 12 | 7) == Answer.invalid)
    }
    #expect(guest.update(2, 479, guest.frames[3].number << 12 | 7) == 0)
    // In another table of level 2 these are entries like others.
    #expect(guest.update(1, 480, guest.frames[3].number << 12 | 7) == 0)
    try guest.bench.recount()
  }

  @Test func fourthTable_isNoneOfTheOthers() throws {
    let guest = CompatBooted()
    guest.start()
    #expect(guest.update(0, 1, guest.frames[2].number << 12 | 1) == Answer.invalid)
    #expect(guest.update(0, 1, guest.frames[1].number << 12 | 1) == 0)
    #expect(guest.extended(1, 2) == Answer.invalid, "a pin is of the ordinary kind")
    try guest.bench.recount()
  }

  @Test func fourLevels_andUserTables_areOf64Bits() throws {
    let guest = CompatBooted()
    guest.start()
    #expect(guest.extended(3, 5) == Answer.invalid)
    #expect(guest.extended(15, 0) == Answer.invalid)
    try guest.bench.recount()
  }

  @Test func addressesAbove4GiB_haveNoEntry() throws {
    let guest = CompatBooted()
    guest.start()
    for address in [1 << 32, 1 << 39, 0xffff_8800_0000_0000] as [UInt64] {
      let result = guest.bench.finish(HypercallArguments(address, 0, 2)) {
        guest.bench.hypervisor.updateVAMapping(&$0, from: guest.caller)
      }
      #expect(result == Answer.invalid)
    }
    try guest.bench.recount()
  }
}
