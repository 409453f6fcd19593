import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantSetupTests {
  private static let own: UInt64 = 0x7ff0
  private static let list = GrantBench.window + 2048

  private func setup(_ pair: GrantBench, _ count: UInt64, of domain: UInt64 = own) -> Int32 {
    guard
      pair.call(
        GNTTABOP_setup_table, [domain | count << 32, 77, Self.list], from: pair.mapper) == 0
    else { return 1 }
    return pair.status(at: 8)
  }

  private func size(_ pair: GrantBench) -> UInt64 {
    #expect(pair.call(GNTTABOP_query_size, [Self.own, 0], from: pair.mapper) == 0)
    return pair.bench.machine.peek(0) >> 32
  }

  @Test func setup_growsAndKeepsWhatExists() throws {
    let pair = GrantBench()
    #expect(size(pair) == 1)
    #expect(setup(pair, 2) == GNTST_okay)
    let first = pair.bench.machine.peek(2048)
    #expect(setup(pair, 3) == GNTST_okay)
    #expect(pair.bench.machine.peek(2048) == first)
    #expect(size(pair) == 3)
    #expect(setup(pair, 1) == GNTST_okay)
    #expect(size(pair) == 3)
    let state = try #require(pair.mapper.domain.pointee.grants)
    for index in 0..<3 {
      let frame = MachineFrame(pair.bench.machine.peek(2048 + index * 8))
      if index == 0 { #expect(UInt64(state.pointee.frames[0]) == frame.number) }
      #expect(pair.record(frame).owner == DomainID(2))
      #expect(pair.record(frame).type == .writable)
    }
    try pair.bench.recount()
  }

  @Test func setup_badArguments_areTheErrorsOfXen() throws {
    let pair = GrantBench()
    #expect(setup(pair, 65) == GNTST_general_error)
    #expect(setup(pair, 0xffff_ffff) == GNTST_general_error)
    #expect(setup(pair, 0) == GNTST_okay)
    #expect(setup(pair, 1, of: 1) == GNTST_permission_denied)
    #expect(setup(pair, 1, of: 7) == GNTST_bad_domain)
    #expect(setup(pair, 1, of: 2) == GNTST_okay, "its own number")
    for (list, answer, status) in [
      (1 << 46, 0, GNTST_bad_virt_addr), (0xffff_8000_0000_0000, Answer.fault, 77),
      (~7, Answer.fault, 77),
    ] as [(UInt64, Int64, Int32)] {
      let words = [Self.own | 2 << 32, 77, list]
      #expect(pair.call(GNTTABOP_setup_table, words, from: pair.mapper) == answer)
      #expect(pair.status(at: 8) == status)
    }
    for count in [0, 2] as [UInt64] {
      let words = [Self.own | 1 << 32, 77, Self.list]
      #expect(
        pair.call(GNTTABOP_setup_table, words, count: count, from: pair.mapper) == Answer.invalid)
      #expect(pair.call(GNTTABOP_query_size, words, count: count, from: pair.mapper) == -22)
      #expect(pair.call(GNTTABOP_get_status_frames, words, count: count, from: pair.mapper) == -22)
    }
    try pair.bench.recount()
  }

  @Test func setup_byAPrivilegedDomain_worksForOthers() throws {
    let pair = GrantBench(privilegedMapper: true)
    #expect(setup(pair, 2, of: 1) == GNTST_okay)
    #expect(pair.granter.domain.pointee.grants?.pointee.frameCount == 2)
    try pair.bench.recount()
  }

  @Test func setup_withoutMemory_isAnError() throws {
    let pair = GrantBench()
    pair.mapper.domain.pointee.pageLimit = 200
    while pair.bench.hypervisor.state.pointee.freeCount > 0 {
      pair.bench.machine.poke([Self.list, 1, 0, Self.own], at: 0)
      pair.bench.machine.poke([99], at: 2048)
      _ = pair.bench.finish(HypercallArguments(6, GrantBench.window)) {
        pair.bench.hypervisor.memoryOperation(&$0, from: pair.mapper)
      }
    }
    #expect(setup(pair, 1) == GNTST_general_error)
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_no_device_space)
    #expect(pair.call(GNTTABOP_set_version, [2], from: pair.granter) == Answer.noMemory)
    try pair.bench.recount()
  }

  @Test func operations_thatDoNotExist_answerSo() throws {
    let pair = GrantBench()
    #expect(pair.call(GNTTABOP_dump_table, [Self.own], from: pair.mapper) == Answer.noSuchCall)
    #expect(pair.call(13, [0], from: pair.mapper) == Answer.noSuchCall)
    #expect(pair.call(0x1000, [0], from: pair.mapper) == Answer.invalid)
    #expect(pair.call(13, [0], count: 1 << 31, from: pair.mapper) == Answer.invalid)
    #expect(pair.call(GNTTABOP_copy, [0], count: 0, from: pair.mapper) == 0)
    let whole = UInt64(Int32.max)
    #expect(pair.call(GNTTABOP_copy, [0], count: whole, from: pair.mapper) == Answer.fault)
    #expect(pair.call(GNTTABOP_unmap_grant_ref, [0], count: whole, from: pair.mapper) == -14)
    #expect(pair.call(GNTTABOP_transfer, [pair.frames[9].number, 1, 77], from: pair.mapper) == 0)
    #expect(pair.status(at: 16) == GNTST_bad_page)
    try pair.bench.recount()
  }

  @Test func cacheFlush_looksAtItsArguments() throws {
    let pair = GrantBench()
    func flush(_ address: UInt64, _ offset: UInt64, _ length: UInt64, _ op: UInt64) -> Int64? {
      pair.call(
        GNTTABOP_cache_flush, [address, offset | length << 16 | op << 32], from: pair.mapper)
    }
    let page = pair.frames[9].number << 12
    #expect(flush(page, 0, 64, 1) == 0)
    #expect(flush(page, 0, 0, 0) == 0)
    #expect(flush(page, 0, 64, 3) == 0)
    #expect(flush(page, 0, 64, 2) == -95)
    #expect(flush(page, 4090, 7, 1) == Answer.invalid)
    #expect(flush(page, 65535, 65535, 1) == Answer.invalid)
    #expect(flush(page, 0, 64, 0x8000_0001) == Answer.invalid)
    #expect(flush(~0, 0, 64, 1) == Answer.invalid)
    #expect(flush(0, 0, 64, 1) == Answer.permission)
    #expect(flush(pair.own[9].number << 12, 0, 64, 1) == Answer.permission)
  }

  @Test func swap_exchangesEntriesThatAreNotInUse() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    pair.grant(9, pair.own[10], flags: GTF_permit_access | GTF_readonly)
    func swap(_ a: UInt64, _ b: UInt64) -> Int32 {
      guard pair.call(GNTTABOP_swap_grant_ref, [a | b << 32, 77], from: pair.granter) == 0
      else { return 1 }
      return pair.status(at: 8)
    }
    #expect(swap(8, 9) == GNTST_okay)
    #expect(pair.table[9] == pair.own[9].number << 32 | 2 << 16 | 1)
    #expect(swap(8, 8) == GNTST_okay)
    #expect(swap(8, 512) == GNTST_bad_gntref)
    #expect(pair.map(9) == GNTST_okay)
    #expect(swap(8, 9) == GNTST_eagain)
    #expect(swap(9, 8) == GNTST_eagain)
    try pair.bench.recount()
  }
}
