import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantDeathTests {
  private func mapped() -> (GrantBench, UInt64, UInt64) {
    let bench = GrantBench()
    bench.grant(8, bench.own[9])
    bench.grant(9, bench.own[4], flags: GTF_permit_access | GTF_readonly)
    #expect(bench.map(8, flags: GNTMAP_host_map | GNTMAP_device_map) == GNTST_okay)
    let handle = bench.handle
    #expect(bench.map(9, at: 21 << 12, flags: GNTMAP_host_map | GNTMAP_readonly) == GNTST_okay)
    return (bench, handle, bench.bench.hypervisor.state.pointee.freeCount)
  }

  /// All frames but the one that is reserved and the one of I/O.
  private static let all: UInt64 = 94

  @Test func death_ofTheMapper_givesTheGrantsBack() throws {
    let (pair, _, _) = mapped()
    #expect(pair.kill(pair.mapper))
    #expect(pair.flags(of: 8) == GTF_permit_access)
    #expect(pair.flags(of: 9) == GTF_permit_access | GTF_readonly)
    try pair.bench.recount()
    #expect(pair.kill(pair.granter))
    #expect(pair.bench.hypervisor.state.pointee.freeCount == Self.all)
    try pair.bench.recount()
  }

  @Test func death_ofTheGranter_waitsForTheMapper() throws {
    let (pair, handle, _) = mapped()
    #expect(!pair.kill(pair.granter), "frames are mapped")
    #expect(pair.record(pair.own[9]).owner == DomainID(1))
    #expect(pair.record(pair.own[9]).references > 0)
    try pair.bench.recount()
    #expect(pair.map(8) == GNTST_bad_domain)
    #expect(pair.unmap(handle, device: pair.own[9].number << 12) == GNTST_okay)
    #expect(pair.record(pair.own[9]).references == 0)
    #expect(!pair.bench.hypervisor.finishDeath(of: pair.granter.domain), "one frame is left")
    #expect(pair.kill(pair.mapper))
    #expect(pair.bench.hypervisor.finishDeath(of: pair.granter.domain))
    #expect(pair.bench.hypervisor.state.pointee.freeCount == Self.all)
    try pair.bench.recount()
  }

  @Test func death_ofBothAtOnce_losesNothing() throws {
    let (pair, _, _) = mapped()
    pair.bench.hypervisor.beginDeath(of: pair.mapper.domain)
    pair.bench.hypervisor.beginDeath(of: pair.granter.domain)
    try pair.bench.recount()
    #expect(!pair.kill(pair.granter))
    #expect(pair.kill(pair.mapper))
    #expect(pair.bench.hypervisor.finishDeath(of: pair.granter.domain))
    #expect(pair.bench.hypervisor.state.pointee.freeCount == Self.all)
  }

  @Test func death_flushesBeforeTheGranterSeesIt() throws {
    let (pair, _, _) = mapped()
    try pair.bench.recount()
    pair.bench.machine.flushCount = 0
    let table = pair.table
    var flushesThen: Int?
    pair.bench.machine.interference = { [machine = pair.bench.machine] _, word in
      if word == table + 8, flushesThen == nil { flushesThen = machine.flushCount }
    }
    #expect(pair.kill(pair.mapper))
    pair.bench.machine.interference = nil
    #expect(flushesThen ?? 0 >= 1)
  }

  @Test func death_interrupted_goesOn() throws {
    let (pair, _, _) = mapped()
    pair.bench.hypervisor.beginDeath(of: pair.mapper.domain)
    var rounds = 0
    while rounds < 10_000 {
      pair.bench.machine.preemptAfter = 0
      rounds += 1
      do {
        try pair.bench.hypervisor.continueDeath(of: pair.mapper.domain)
        break
      } catch { try pair.bench.recount() }
    }
    pair.bench.machine.preemptAfter = nil
    #expect(rounds > 1)
    #expect(pair.bench.hypervisor.finishDeath(of: pair.mapper.domain))
    #expect(pair.flags(of: 8) == GTF_permit_access)
  }

  @Test func death_ofADomainThatMapsItsOwnGrants_losesNothing() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9], to: 1)
    #expect(pair.map(8, from: pair.granter) == GNTST_okay)
    #expect(pair.kill(pair.granter))
    #expect(pair.kill(pair.mapper))
    #expect(pair.bench.hypervisor.state.pointee.freeCount == Self.all)
  }

  @Test func death_ofTheOwnerOfATableThatAnotherMaps_waits() throws {
    let pair = GrantBench(privilegedMapper: true)
    let table = pair.granter.domain.pointee.grants?.pointee.frames[0] ?? 0
    let place = pair.frames[3].number << 12 | 20 << 3
    #expect(
      pair.bench.mmuUpdate(place, UInt64(table) << 12 | 7, foreign: 1, from: pair.mapper) == 0)
    #expect(!pair.kill(pair.granter))
    #expect(pair.bench.mmuUpdate(place, 0, from: pair.mapper) == 0)
    #expect(pair.bench.hypervisor.finishDeath(of: pair.granter.domain))
    try pair.bench.recount()
  }
}
