import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantUnmappingTests {
  /// Domain 2 has mapped entry 8 of domain 1.
  private func mapped(_ flags: Int32 = GNTMAP_host_map) -> (GrantBench, UInt64) {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8, flags: flags) == GNTST_okay)
    return (pair, pair.handle)
  }

  @Test func unmap_flushesBeforeTheGranterSeesIt() throws {
    let (pair, handle) = mapped()
    try pair.bench.recount()
    let flushes = pair.bench.machine.flushCount
    let table = pair.table
    var flushesThen: Int?
    pair.bench.machine.interference = { [machine = pair.bench.machine] _, word in
      if word == table + 8, flushesThen == nil { flushesThen = machine.flushCount }
    }
    #expect(pair.unmap(handle) == GNTST_okay)
    pair.bench.machine.interference = nil
    #expect(flushesThen == flushes + 1)
    #expect(pair.entry() == 0)
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func unmap_badArguments_areTheErrorsOfXen() throws {
    let (pair, handle) = mapped(GNTMAP_host_map | GNTMAP_device_map)
    let device = pair.own[9].number << 12
    #expect(pair.unmap(handle + 1) == GNTST_bad_handle)
    #expect(pair.unmap(0xffff_ffff) == GNTST_bad_handle)
    #expect(pair.unmap(handle, from: pair.granter) == GNTST_bad_handle, "somebody else's")
    #expect(pair.unmap(handle, device: device + 8) == GNTST_bad_dev_addr)
    #expect(pair.unmap(handle, at: 9 << 12) == GNTST_general_error)
    #expect(pair.unmap(handle, at: 1 << 40) == GNTST_general_error)
    #expect(pair.unmap(handle, at: 0) == GNTST_okay, "nothing is asked for")
    #expect(pair.entry() & 1 == 1)
    try pair.bench.recount()
    #expect(pair.unmap(handle, device: device) == GNTST_okay)
    #expect(pair.unmap(handle, device: device) == GNTST_bad_handle)
    try pair.bench.recount()
  }

  @Test func unmap_inParts_endsWithTheLast() throws {
    let (pair, handle) = mapped(GNTMAP_host_map | GNTMAP_device_map)
    #expect(pair.unmap(handle) == GNTST_okay)
    #expect(pair.flags(of: 8) & GTF_writing != 0)
    try pair.bench.recount()
    #expect(pair.unmap(handle, at: 0, device: pair.own[9].number << 12) == GNTST_okay)
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func unmap_sameHandleInOneCall_isDoneOnce() throws {
    let (pair, handle) = mapped(GNTMAP_host_map | GNTMAP_device_map)
    let device = pair.own[9].number << 12
    let words = [0, device, handle, 20 << 12, 0, handle, 20 << 12, device, handle]
    #expect(pair.call(GNTTABOP_unmap_grant_ref, words, count: 3, from: pair.mapper) == 0)
    #expect(pair.status(at: 20) == GNTST_okay)
    #expect(pair.status(at: 44) == GNTST_okay)
    #expect(pair.status(at: 68) == GNTST_bad_handle)
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func unmap_manyElements_stopsBetweenBatches() throws {
    let (pair, handle) = mapped()
    var words: [UInt64] = []
    for index in 0..<40 { words += index == 39 ? [20 << 12, 0, handle] : [0, 0, 1_000] }
    pair.bench.machine.poke(words, at: 0)
    pair.bench.machine.preemptAfter = 0
    var arguments = HypercallArguments(1, GrantBench.window, 40)
    #expect(pair.bench.hypervisor.grantTableOperation(&arguments, from: pair.mapper) == .again)
    #expect(arguments[2] == 8)
    #expect(pair.entry() & 1 == 1)
    #expect(pair.bench.hypervisor.grantTableOperation(&arguments, from: pair.mapper) == .value(0))
    #expect(pair.entry() == 0)
    try pair.bench.recount()
  }

  @Test func unmap_arrayThatEndsInNowhere_doesWhatCanBeRead() throws {
    let (pair, handle) = mapped()
    let end = FakeMachine.windowSize - 24
    pair.bench.machine.poke([20 << 12, 0, handle], at: end)
    var arguments = HypercallArguments(1, GrantBench.window + UInt64(end), 2)
    let result = pair.bench.hypervisor.grantTableOperation(&arguments, from: pair.mapper)
    #expect(result == .value(Answer.fault))
    #expect(pair.entry() == 0)
    try pair.bench.recount()
  }

  @Test func replace_movesTheOtherEntry() throws {
    let (pair, handle) = mapped()
    let other = pair.entry(at: 10 << 12)
    let words = [20 << 12, 10 << 12, handle]
    #expect(pair.call(GNTTABOP_unmap_and_replace, words, from: pair.mapper) == 0)
    #expect(pair.status(at: 20) == GNTST_okay)
    #expect(pair.entry() == other)
    #expect(pair.entry(at: 10 << 12) == 0)
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func replace_withBadAddresses_changesNothing() throws {
    let (pair, handle) = mapped()
    for (address, new) in [(20, 1 << 28), (20, 20), (9, 10), (1 << 28, 10)] as [(UInt64, UInt64)] {
      let words = [address << 12, new << 12, handle]
      #expect(pair.call(GNTTABOP_unmap_and_replace, words, from: pair.mapper) == 0)
      #expect(pair.status(at: 20) == GNTST_general_error, "\(address) \(new)")
    }
    #expect(pair.entry() & 1 == 1)
    try pair.bench.recount()
    #expect(pair.call(GNTTABOP_unmap_and_replace, [20 << 12, 0, handle], from: pair.mapper) == 0)
    #expect(pair.entry() == 0)
    try pair.bench.recount()
  }

  @Test func replace_ofAnEntryMap_isRefused() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    let place = pair.frames[3].number << 12 | 20 << 3
    #expect(pair.map(8, at: place, flags: GNTMAP_host_map | GNTMAP_contains_pte) == GNTST_okay)
    let handle = pair.handle
    #expect(
      pair.call(GNTTABOP_unmap_and_replace, [place, 10 << 12, handle], from: pair.mapper) == 0)
    #expect(pair.status(at: 20) == GNTST_general_error)
    #expect(pair.unmap(handle) == GNTST_general_error, "by the virtual address")
    #expect(pair.unmap(handle, at: place) == GNTST_okay)
    try pair.bench.recount()
  }
}
