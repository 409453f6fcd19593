import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantVersionTests {
  private func set(_ pair: GrantBench, _ version: UInt64) -> Int64? {
    pair.call(GNTTABOP_set_version, [version], from: pair.granter)
  }

  private func status(_ pair: GrantBench, _ reference: Int) -> UInt64 {
    let frame = pair.granter.domain.pointee.grants?.pointee.statusFrames[0] ?? 0
    let word = pair.bench.machine.words(of: MachineFrame(UInt64(frame)))[reference / 4]
    return word >> UInt64(reference % 4 * 16) & 0xffff
  }

  @Test func setVersion_emptiesAllButReservedEntries() throws {
    let pair = GrantBench()
    pair.grant(3, pair.own[9], to: 5, flags: GTF_permit_access | GTF_readonly)
    pair.grant(8, pair.own[9])
    #expect(set(pair, 2) == 0)
    #expect(pair.table[6] == 5 << 16 | 5)
    #expect(pair.table[7] == pair.own[9].number)
    #expect(pair.table[16] == 0)
    #expect(pair.bench.machine.peek(0) == 2)
    try pair.bench.recount()
    #expect(set(pair, 1) == 0)
    #expect(pair.table[3] == pair.own[9].number << 32 | 5 << 16 | 5)
    try pair.bench.recount()
    #expect(set(pair, 1) == 0)
  }

  @Test func setVersion_badOrBusy_changesNothing() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(set(pair, 3) == Answer.invalid)
    #expect(UInt32(truncatingIfNeeded: pair.bench.machine.peek(0)) == 1)
    #expect(set(pair, 0) == Answer.invalid)
    #expect(pair.map(8) == GNTST_okay)
    let handle = pair.handle
    #expect(set(pair, 2) == Answer.busy)
    #expect(pair.unmap(handle) == GNTST_okay)
    #expect(set(pair, 2) == 0)
    pair.table[1] = 1 << 32
    #expect(set(pair, 1) == -34)
    try pair.bench.recount()
  }

  @Test func setVersion_whileAReservedEntryIsMapped_keepsItsMarks() throws {
    let pair = GrantBench()
    try pair.bench.hypervisor.reserveGrant(
      GrantReference(1), of: pair.granter.domain, to: DomainID(2), frame: pair.own[9])
    #expect(pair.map(1) == GNTST_okay)
    let handle = pair.handle
    #expect(set(pair, 2) == 0)
    #expect(status(pair, 1) == UInt64(GTF_reading | GTF_writing))
    #expect(pair.table[2] == 2 << 16 | 1)
    #expect(set(pair, 1) == 0)
    #expect(pair.flags(of: 1) == GTF_permit_access | GTF_reading | GTF_writing)
    #expect(pair.unmap(handle) == GNTST_okay)
    #expect(pair.flags(of: 1) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func version2_marksAreInTheStatusWords() throws {
    let pair = GrantBench()
    #expect(set(pair, 2) == 0)
    pair.table[18] = 2 << 16 | 1
    pair.table[19] = pair.own[9].number
    #expect(pair.map(9) == GNTST_okay)
    let handle = pair.handle
    #expect(pair.table[18] == 2 << 16 | 1, "the entry is the guest's")
    #expect(status(pair, 9) == UInt64(GTF_reading | GTF_writing))
    #expect(status(pair, 8) == 0)
    #expect(pair.unmap(handle) == GNTST_okay)
    #expect(status(pair, 9) == 0)
    #expect(pair.map(256) == GNTST_bad_gntref)
    pair.table[19] = 1 << 40
    #expect(pair.map(9) == GNTST_bad_page)
    #expect(status(pair, 9) == 0)
    try pair.bench.recount()
  }

  @Test func version2_entryRevokedWhileItIsMarked_isNotBelieved() throws {
    let pair = GrantBench()
    #expect(set(pair, 2) == 0)
    pair.table[18] = 2 << 16 | 1
    pair.table[19] = pair.own[9].number
    let table = pair.table
    let words = try #require(pair.granter.domain.pointee.grants).pointee.statusFrames[0]
    pair.bench.machine.interference = { frame, _ in
      // The granter revokes while the status word is written.
      if frame.number == UInt64(words) { table[18] = 0 }
    }
    #expect(pair.map(9) == GNTST_general_error)
    pair.bench.machine.interference = nil
    #expect(status(pair, 9) == 0)
    try pair.bench.recount()
  }

  @Test func statusFrames_areToldAndGrow() throws {
    let pair = GrantBench()
    let list = GrantBench.window + 2048
    func ask(_ count: UInt64) -> Int32 {
      guard
        pair.call(
          GNTTABOP_get_status_frames, [count | 0x7ff0 << 32 | 77 << 48, list], from: pair.granter)
          == 0
      else { return 1 }
      return pair.status(at: 6)
    }
    #expect(ask(1) == GNTST_general_error, "version 1 has none")
    #expect(ask(0) == GNTST_okay)
    #expect(set(pair, 2) == 0)
    #expect(ask(1) == GNTST_okay)
    #expect(ask(2) == GNTST_general_error)
    let words = [0x7ff0 | 9 << 32, 0, list] as [UInt64]
    #expect(pair.call(GNTTABOP_setup_table, words, from: pair.granter) == 0)
    #expect(ask(2) == GNTST_okay)
    try pair.bench.recount()
    #expect(set(pair, 1) == 0)
    try pair.bench.recount()
  }

  @Test func setVersion_whileAStatusFrameIsMapped_isBusy() throws {
    let pair = GrantBench()
    #expect(set(pair, 2) == 0)
    let frame = pair.granter.domain.pointee.grants?.pointee.statusFrames[0] ?? 0
    let place = pair.own[3].number << 12 | 30 << 3
    #expect(pair.bench.mmuUpdate(place, UInt64(frame) << 12 | 7, from: pair.granter) == 0)
    #expect(set(pair, 1) == Answer.busy)
    #expect(pair.bench.mmuUpdate(place, 0, from: pair.granter) == 0)
    #expect(set(pair, 1) == 0)
    try pair.bench.recount()
  }

  @Test func getVersion_asksForRights() throws {
    let pair = GrantBench()
    func ask(_ domain: UInt64) -> Int64? {
      pair.call(GNTTABOP_get_version, [domain], from: pair.mapper)
    }
    #expect(ask(0x7ff0) == 0)
    #expect(pair.bench.machine.peek(0) >> 32 == 1)
    #expect(ask(1) == Answer.permission)
    #expect(ask(7) == Answer.noDomain)
    let privileged = GrantBench(privilegedMapper: true)
    #expect(set(privileged, 2) == 0)
    #expect(privileged.call(GNTTABOP_get_version, [1], from: privileged.mapper) == 0)
    #expect(privileged.bench.machine.peek(0) >> 32 == 2)
  }
}
