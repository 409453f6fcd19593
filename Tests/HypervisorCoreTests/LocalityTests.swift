// What runs beside others in the core: it must leave untouched what is not its domain's, ask for the
// whole core lock instead, and go on there where it stopped.

import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing
import X86

@Suite("Beside others in the core")
struct LocalityTests {
  /// A domain with four tables, of which the last maps its memory.
  static func booted(_ bench: Bench, _ number: UInt16 = 1) -> (
    caller: Caller, frames: [MachineFrame]
  ) {
    let one = bench.makeDomain(number, frames: 10)
    bench.share(with: one.caller)
    for index in 0..<3 { bench.prepare(one.frames[index], 0, one.frames[index + 1], 7) }
    for index in 4..<10 { bench.prepare(one.frames[3], index, one.frames[index], 7) }
    #expect(bench.extended(3, one.frames[0].number, from: one.caller) == 0)
    #expect(bench.extended(5, one.frames[0].number, from: one.caller) == 0)
    return one
  }

  private func entry(_ table: MachineFrame, _ index: UInt64) -> UInt64 {
    table.address.value + index * 8
  }

  @Test("Updates of a domain's own tables ask for nothing")
  func ownUpdates() throws {
    let bench = Bench()
    let (caller, frames) = Self.booted(bench)
    bench.isBesideOthers = true
    #expect(bench.mmuUpdate(entry(frames[3], 4), frames[5].number << 12 | 7, from: caller) == 0)
    #expect(bench.mmuUpdate(entry(frames[3], 4), 0, from: caller) == 0)
    // A table is unpinned, taken apart and pinned again.
    #expect(bench.extended(4, frames[0].number, from: caller) == 0)
    #expect(bench.extended(3, frames[0].number, from: caller) == 0)
    #expect(bench.askedForAllCount == 0)
    try bench.recount()
  }

  @Test("The last mapping of a frame that was given up is dropped alone")
  func lastReference() throws {
    let bench = Bench()
    let (caller, frames) = Self.booted(bench)
    let base = FakeMachine.windowBase.value
    bench.machine.poke([base + 1024, 1, 0, 0x7ff0], at: 0)
    bench.machine.poke([frames[9].number], at: 1024)
    #expect(
      bench.finish(HypercallArguments(1, base)) {
        bench.hypervisor.memoryOperation(&$0, from: caller)
      }
        == 1)
    let free = bench.hypervisor.state.pointee.freeCount
    bench.isBesideOthers = true
    #expect(bench.mmuUpdate(entry(frames[3], 9), 0, from: caller) == 0)
    #expect(bench.askedForAllCount == 1)
    #expect(bench.hypervisor.state.pointee.freeCount == free + 1)
    try bench.recount()
  }

  @Test("A frame of another domain stays as it is until the call is alone")
  func foreignFrame() throws {
    let bench = Bench()
    let (privileged, _) = bench.makeDomain(1, frames: 4, privileged: true)
    let (caller, frames) = Self.booted(bench, 2)
    let foreign = try #require(bench.hypervisor.allocate(for: privileged.domain))
    // The privileged domain maps a frame of its own into the other's table.
    let argument: UInt64 = 1 | 3 << 16
    #expect(
      bench.mmuUpdate(
        entry(frames[3], 20), foreign.number << 12 | 7, foreign: argument, from: privileged) == 0)
    let record = bench.hypervisor.frames[foreign]
    #expect(record.pointee.references == 2)
    bench.machine.holdsAll = false
    bench.machine.hasAskedForAll = false
    bench.machine.poke([entry(frames[3], 20), 0], at: 0)
    var arguments = HypercallArguments(FakeMachine.windowBase.value, 1, 0, 0x7ff0)
    #expect(bench.hypervisor.mmuUpdate(&arguments, from: caller) == .again)
    #expect(bench.machine.hasAskedForAll)
    #expect(record.pointee.references == 2)
    #expect(bench.machine.words(of: frames[3])[20] & 1 == 1)
    bench.machine.holdsAll = true
    #expect(bench.hypervisor.mmuUpdate(&arguments, from: caller) == .value(0))
    #expect(record.pointee.references == 1)
    try bench.recount(allowForeign: true)
  }

  @Test("A batch keeps what it has done when it comes to a frame of another domain")
  func batch() throws {
    let bench = Bench()
    let (privileged, _) = bench.makeDomain(1, frames: 4, privileged: true)
    let (caller, frames) = Self.booted(bench, 2)
    let foreign = try #require(bench.hypervisor.allocate(for: privileged.domain))
    #expect(
      bench.mmuUpdate(
        entry(frames[3], 20), foreign.number << 12 | 5, foreign: 1 | 3 << 16, from: privileged)
        == 0)
    bench.machine.holdsAll = false
    bench.machine.poke([entry(frames[3], 4), 0, entry(frames[3], 20), 0], at: 256)
    let base = FakeMachine.windowBase.value
    var arguments = HypercallArguments(base + 256, 2, base, 0x7ff0)
    #expect(bench.hypervisor.mmuUpdate(&arguments, from: caller) == .again)
    #expect(bench.machine.peek(half: 0) == 1)
    #expect(arguments[0] == base + 256 + 16)
    bench.machine.holdsAll = true
    #expect(bench.hypervisor.mmuUpdate(&arguments, from: caller) == .value(0))
    #expect(bench.machine.peek(half: 0) == 2)
  }

  @Test("Calls in another domain's name are made alone")
  func otherDomain() {
    let bench = Bench()
    let (privileged, _) = bench.makeDomain(1, frames: 4, privileged: true)
    let (_, frames) = Self.booted(bench, 2)
    bench.isBesideOthers = true
    #expect(
      bench.mmuUpdate(entry(frames[3], 5), 0, foreign: 1 | 3 << 16, from: privileged) == 0)
    #expect(bench.extended(4, frames[0].number, foreign: 2, from: privileged) == 0)
    #expect(bench.askedForAllCount == 2)
  }

  @Test("A flush counts for others only when it is over")
  func flushOrder() {
    let bench = Bench()
    let (caller, frames) = Self.booted(bench)
    let state = bench.hypervisor.state
    // The stamp of a use that ends while a flush is under way.
    var stamp: UInt32 = 0
    var isStale: Bool?
    bench.machine.whileFlushing = {
      stamp = state.pointee.clock.time
      isStale = state.pointee.clock.staleProcessors(since: stamp - 1).contains(ProcessorID(0))
    }
    #expect(bench.extended(6, from: caller) == 0)
    bench.machine.whileFlushing = nil
    #expect(isStale == true)
    #expect(state.pointee.clock.staleProcessors(since: stamp).contains(ProcessorID(0)))
    #expect(!state.pointee.clock.staleProcessors(since: stamp - 1).contains(ProcessorID(0)))
    _ = frames
  }
}
