import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantCopyingTests {
  private static let own: UInt64 = 0x7ff0

  /// One side: a frame number of the caller's, or a reference of a domain's.
  private struct Side {
    var word: UInt64
    var domain: UInt64
    var offset: UInt64 = 0
    var isReference = false

    static func frame(_ frame: MachineFrame, at offset: UInt64 = 0) -> Self {
      Self(word: frame.number, domain: GrantCopyingTests.own, offset: offset)
    }

    static func grant(_ reference: UInt64, of domain: UInt64 = 1, at offset: UInt64 = 0) -> Self {
      Self(word: reference, domain: domain, offset: offset, isReference: true)
    }
  }

  private func copy(
    _ pair: GrantBench, _ source: Side, _ target: Side, _ length: UInt64 = 16
  ) -> Int32 {
    let flags: UInt64 = (source.isReference ? 1 : 0) | (target.isReference ? 2 : 0)
    let words = [
      source.word, source.domain | source.offset << 16, target.word,
      target.domain | target.offset << 16, length | flags << 16 | 77 << 32,
    ]
    guard pair.call(GNTTABOP_copy, words, from: pair.mapper) == 0 else { return 1 }
    return pair.status(at: 36)
  }

  private func words(_ pair: GrantBench, _ frame: MachineFrame) -> UnsafeMutablePointer<UInt64> {
    pair.bench.machine.words(of: frame)
  }

  @Test func copy_bothDirections_movesTheBytes() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    words(pair, pair.own[9])[1] = 0x1122
    #expect(copy(pair, .grant(8, at: 8), .frame(pair.frames[9], at: 16), 8) == GNTST_okay)
    #expect(words(pair, pair.frames[9])[2] == 0x1122)
    words(pair, pair.frames[9])[2] = 0x3344
    #expect(copy(pair, .frame(pair.frames[9], at: 16), .grant(8, at: 24), 8) == GNTST_okay)
    #expect(words(pair, pair.own[9])[3] == 0x3344)
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func copy_betweenTwoGrants_needsNoFrameOfTheCaller() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9], flags: GTF_permit_access | GTF_readonly)
    pair.grant(9, pair.own[10])
    words(pair, pair.own[9])[0] = 7
    #expect(copy(pair, .grant(8), .grant(9)) == GNTST_okay)
    #expect(words(pair, pair.own[10])[0] == 7)
    #expect(copy(pair, .grant(9), .grant(8)) == GNTST_general_error, "read-only")
    #expect(pair.flags(of: 9) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func copy_overlapping_isAsIfByABuffer() throws {
    let pair = GrantBench()
    let page = words(pair, pair.frames[9])
    for index in 0..<16 { page[index] = UInt64(index) }
    #expect(
      copy(pair, .frame(pair.frames[9]), .frame(pair.frames[9], at: 8), 120) == GNTST_okay)
    #expect((1..<16).allSatisfy { page[$0] == UInt64($0 - 1) })
  }

  @Test func copy_badArguments_areTheErrorsOfXen() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    pair.grant(9, pair.own[9], to: 3)
    pair.grant(10, pair.own[0])
    pair.grant(11, MachineFrame(95))
    let page = Side.frame(pair.frames[9])
    #expect(copy(pair, .grant(8, at: 4090), page) == GNTST_bad_copy_arg)
    #expect(copy(pair, .grant(8, at: 65535), page, 65535) == GNTST_bad_copy_arg)
    #expect(copy(pair, page, .grant(8, at: 4081)) == GNTST_bad_copy_arg)
    #expect(copy(pair, .grant(8, at: 4096), page, 0) == GNTST_okay, "nothing to move")
    #expect(copy(pair, .grant(8, at: 4097), page, 0) == GNTST_bad_copy_arg)
    #expect(copy(pair, .grant(8, of: 7), page) == GNTST_bad_domain)
    #expect(copy(pair, .grant(512, at: 4090), page) == GNTST_bad_gntref)
    #expect(copy(pair, .grant(9), page) == GNTST_general_error, "another's")
    #expect(copy(pair, .grant(511), page) == GNTST_general_error, "free")
    #expect(copy(pair, page, .grant(10)) == GNTST_general_error, "a page table")
    #expect(copy(pair, .grant(10), page) == GNTST_okay, "reading one")
    #expect(copy(pair, .grant(11), page) == GNTST_bad_page, "I/O memory")
    #expect(copy(pair, page, .frame(pair.frames[0])) == GNTST_general_error)
    #expect(copy(pair, .frame(pair.own[9]), page) == GNTST_bad_page, "not the caller's")
    #expect(copy(pair, .frame(MachineFrame(0)), page) == GNTST_bad_page)
    #expect(copy(pair, .frame(MachineFrame(~0)), page) == GNTST_bad_page)
    let named = Side(word: pair.own[9].number, domain: 1)
    #expect(copy(pair, named, page) == GNTST_permission_denied)
    let self2 = Side(word: pair.frames[9].number, domain: 2)
    #expect(copy(pair, self2, page) == GNTST_permission_denied, "only as DOMID_SELF")
    try pair.bench.recount()
  }

  @Test func copy_intoADescriptorTable_isRefused() throws {
    let pair = GrantBench()
    let table = pair.frames[9]
    let place = pair.frames[3].number << 12 | 9 << 3
    #expect(pair.bench.mmuUpdate(place, table.number << 12 | 5, from: pair.mapper) == 0)
    pair.bench.machine.poke([table.number], at: 0)
    let result = pair.bench.finish(HypercallArguments(GrantBench.window, 512)) {
      pair.bench.hypervisor.setGDT(&$0, from: pair.mapper)
    }
    #expect(result == 0)
    #expect(copy(pair, .frame(pair.frames[10]), .frame(table)) == GNTST_general_error)
    try pair.bench.recount()
  }

  @Test func copy_subPage_staysInItsRange() throws {
    let pair = GrantBench()
    try version2(pair)
    let flags = UInt64(GTF_permit_access | GTF_sub_page)
    pair.table[16] = (16 | 32 << 16) << 32 | 2 << 16 | flags
    pair.table[17] = pair.own[9].number
    let page = Side.frame(pair.frames[9])
    #expect(copy(pair, .grant(8, at: 16), page, 32) == GNTST_okay)
    #expect(copy(pair, .grant(8, at: 15), page, 16) == GNTST_general_error)
    #expect(copy(pair, .grant(8, at: 17), page, 32) == GNTST_general_error)
    #expect(pair.map(8) == GNTST_general_error)
    // A range that leaves the page gives no more than the page.
    pair.table[16] = (4090 | 0xffff << 16) << 32 | 2 << 16 | flags
    #expect(copy(pair, .grant(8, at: 4090), page, 7) == GNTST_bad_copy_arg)
    try pair.bench.recount()
  }

  @Test func copy_transitive_goesOneStep() throws {
    let pair = GrantBench()
    try version2(pair)
    // Domain 3 grants its page to domain 1, which passes it on to domain 2.
    let third = pair.bench.makeDomain(3, frames: 4)
    _ = pair.call(
      GNTTABOP_setup_table, [0x7ff0 | 1 << 32, 0, GrantBench.window + 2048], from: third.caller)
    let state = try #require(third.caller.domain.pointee.grants)
    let table = words(pair, MachineFrame(UInt64(state.pointee.frames[0])))
    table[8] = third.frames[0].number << 32 | 1 << 16 | 1
    words(pair, third.frames[0])[0] = 0x33
    func pass(_ domain: UInt64, _ reference: UInt64) {
      pair.table[16] = domain << 32 | 2 << 16 | UInt64(GTF_transitive)
      pair.table[17] = reference
    }
    let page = Side.frame(pair.frames[9])
    pass(3, 8)
    #expect(copy(pair, .grant(8), page) == GNTST_okay)
    #expect(words(pair, pair.frames[9])[0] == 0x33)
    #expect(pair.map(8) == GNTST_general_error)
    for (domain, reference) in [(1, 8), (7, 8), (0x7ff0, 8), (3, 9)] as [(UInt64, UInt64)] {
      pass(domain, reference)
      #expect(copy(pair, .grant(8), page) == GNTST_general_error, "\(domain) \(reference)")
    }
    pass(3, 512)
    #expect(copy(pair, .grant(8), page) == GNTST_bad_gntref)
    #expect(table[8] & 0xffff == 1, "no mark is left")
    try pair.bench.recount()
  }

  private func version2(_ pair: GrantBench) throws {
    #expect(pair.call(GNTTABOP_set_version, [2], from: pair.granter) == 0)
  }
}
