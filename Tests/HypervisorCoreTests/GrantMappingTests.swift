import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct GrantMappingTests {
  @Test func map_writable_countsInTableAndEntry() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    let before = pair.record(pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    let frame = pair.own[9].number << 12
    #expect(pair.entry() == 0x8010_0000_0000_0067 | frame, "kernel's, accessed, dirty, no fetch")
    #expect(pair.bench.machine.peek(24) == frame, "device address")
    #expect(pair.flags(of: 8) == GTF_permit_access | GTF_reading | GTF_writing)
    let after = pair.record(pair.own[9])
    #expect(after.references == before.references + 2)
    #expect(after.typeUses == before.typeUses + 2)
    try pair.bench.recount()
  }

  @Test func map_readonlyForApplications_hasNoWritableUse() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[4], flags: GTF_permit_access | GTF_readonly)
    let before = pair.record(pair.own[4])
    let flags = GNTMAP_host_map | GNTMAP_readonly | GNTMAP_application_map | 5 << 16
    #expect(pair.map(8, flags: flags) == GNTST_okay)
    #expect(pair.entry() & 0xfff == 0xb65)
    #expect(pair.flags(of: 8) & (GTF_reading | GTF_writing) == GTF_reading)
    #expect(pair.record(pair.own[4]).typeUses == before.typeUses)
    try pair.bench.recount()
  }

  @Test func map_twice_marksUntilTheLastUnmap() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8, flags: GNTMAP_host_map | GNTMAP_readonly) == GNTST_okay)
    let first = pair.handle
    #expect(pair.map(8, at: 21 << 12) == GNTST_okay)
    let second = pair.handle
    #expect(pair.flags(of: 8) & GTF_writing != 0)
    #expect(pair.unmap(second, at: 21 << 12) == GNTST_okay)
    #expect(pair.flags(of: 8) & (GTF_reading | GTF_writing) == GTF_reading)
    #expect(pair.unmap(first) == GNTST_okay)
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func map_badArguments_areTheErrorsOfXen() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    pair.grant(9, pair.own[9], flags: GTF_permit_access | GTF_readonly)
    pair.grant(10, pair.own[9], to: 3)
    pair.grant(11, pair.own[0])
    pair.grant(12, MachineFrame(0))
    pair.grant(13, MachineFrame(0xffff_ffff))
    pair.grant(14, pair.frames[9])
    pair.grant(15, pair.own[9], flags: GTF_accept_transfer)
    #expect(pair.map(8, flags: 0) == GNTST_bad_gntref)
    #expect(pair.map(8, flags: GNTMAP_contains_pte) == GNTST_bad_gntref, "neither")
    #expect(pair.map(8, of: 7) == GNTST_bad_domain)
    #expect(pair.map(8, of: 0x7ff0) == GNTST_bad_domain)
    #expect(pair.map(511) == GNTST_general_error, "free entry")
    #expect(pair.map(512) == GNTST_bad_gntref)
    #expect(pair.map(0xffff_ffff) == GNTST_bad_gntref)
    #expect(pair.map(9) == GNTST_general_error, "read-only")
    #expect(pair.map(10) == GNTST_general_error, "granted to another")
    #expect(pair.map(11) == GNTST_general_error, "a page table")
    #expect(pair.map(12) == GNTST_bad_page, "the hypervisor's")
    #expect(pair.map(13) == GNTST_bad_page, "beyond memory")
    #expect(pair.map(14) == GNTST_bad_page, "the mapper's own")
    #expect(pair.map(15) == GNTST_general_error, "accepts a transfer")
    #expect(pair.map(8, at: 1 << 40) == GNTST_general_error, "no table")
    #expect(pair.map(8, at: 0xffff_8000_0000_0000) == GNTST_general_error, "the hypervisor's range")
    for reference in 8..<16 {
      #expect(pair.flags(of: reference) & (GTF_reading | GTF_writing) == 0, "entry \(reference)")
    }
    try pair.bench.recount()
  }

  @Test func map_byEntry_mustBeInAnOwnLastLevelTable() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    let flags = GNTMAP_host_map | GNTMAP_contains_pte
    func address(_ frame: MachineFrame, _ index: UInt64) -> UInt64 {
      frame.number << 12 | index << 3
    }
    #expect(pair.map(8, at: address(pair.frames[3], 30) | 4, flags: flags) == GNTST_general_error)
    #expect(pair.map(8, at: address(pair.frames[2], 30), flags: flags) == GNTST_general_error)
    #expect(pair.map(8, at: address(pair.frames[9], 30), flags: flags) == GNTST_general_error)
    #expect(pair.map(8, at: address(pair.own[3], 30), flags: flags) == GNTST_general_error)
    #expect(pair.map(8, at: 1 << 60, flags: flags) == GNTST_general_error)
    #expect(pair.map(8, at: address(pair.frames[3], 30), flags: flags) == GNTST_okay)
    #expect(pair.entry(at: 30 << 12) & 0x000f_ffff_ffff_f000 == pair.own[9].number << 12)
    try pair.bench.recount()
  }

  @Test func map_entryThatChangesMeanwhile_isNotBelieved() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    let table = pair.table
    pair.bench.machine.interference = { _, word in
      // Revoked between the look and the exchange.
      if word == table + 8 { word.pointee &= ~UInt64(GTF_permit_access) }
    }
    #expect(pair.map(8) == GNTST_general_error)
    pair.bench.machine.interference = nil
    #expect(pair.flags(of: 8) & (GTF_reading | GTF_writing) == 0)
    try pair.bench.recount()
  }

  @Test func map_frameThatTheEntryNamesLater_isNotTaken() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8, flags: GNTMAP_device_map) == GNTST_okay)
    pair.grant(8, pair.own[10])
    #expect(pair.map(8) == GNTST_okay)
    #expect(pair.entry() & 0x000f_ffff_ffff_f000 == pair.own[9].number << 12)
    try pair.bench.recount()
  }

  @Test func map_oneEntry_hasALimitOfUsesOfEachKind() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    for _ in 0..<128 { #expect(pair.map(8, flags: GNTMAP_device_map) == GNTST_okay) }
    #expect(pair.map(8, flags: GNTMAP_device_map) == GNTST_general_error)
    #expect(pair.map(8, flags: GNTMAP_device_map | GNTMAP_readonly) == GNTST_okay)
    try pair.bench.recount()
  }

  @Test func map_withoutHandles_isNoDeviceSpace() throws {
    let pair = GrantBench()
    pair.mapper.domain.pointee.grantMappingLimit = 256
    for reference in 8..<16 { pair.grant(reference, pair.own[9]) }
    for number in 0..<256 {
      let status = pair.map(UInt64(8 + number / 64), flags: GNTMAP_device_map)
      #expect(status == GNTST_okay)
    }
    #expect(pair.map(15, flags: GNTMAP_device_map) == GNTST_no_device_space)
    try pair.bench.recount()
    #expect(pair.unmap(5, at: 0, device: pair.own[9].number << 12) == GNTST_okay)
    #expect(pair.map(15, flags: GNTMAP_device_map) == GNTST_okay)
    try pair.bench.recount()
  }

  @Test func mmuUpdate_overAGrant_keepsItInUseUntilDeath() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    let handle = pair.handle
    let address = pair.frames[3].number << 12 | 20 << 3
    let entry = pair.entry()
    #expect(pair.bench.mmuUpdate(address, 0, from: pair.mapper) == 0)
    try pair.bench.recount()
    #expect(pair.unmap(handle) == GNTST_general_error)
    #expect(pair.flags(of: 8) & GTF_writing != 0)
    #expect(pair.bench.mmuUpdate(address, entry, from: pair.mapper) == Answer.busy, "not its own")
    #expect(pair.kill(pair.mapper))
    #expect(pair.flags(of: 8) == GTF_permit_access)
    try pair.bench.recount()
  }

  @Test func pin_ofAFrameMappedWritable_isRefused() throws {
    let pair = GrantBench()
    let empty = pair.own[9]
    let map = pair.own[3].number << 12 | 9 << 3
    #expect(pair.bench.mmuUpdate(map, empty.number << 12 | 5, from: pair.granter) == 0)
    pair.grant(8, empty)
    #expect(pair.map(8) == GNTST_okay)
    let handle = pair.handle
    #expect(pair.bench.extended(0, empty.number, from: pair.granter) != 0)
    #expect(pair.unmap(handle) == GNTST_okay)
    #expect(pair.bench.extended(0, empty.number, from: pair.granter) == 0)
    #expect(pair.map(8) == GNTST_general_error)
    try pair.bench.recount()
  }

  @Test func map_resultThatCannotBeWritten_isAFault() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    pair.bench.machine.isWindowReadOnly = true
    #expect(pair.map(8) == 1)
    pair.bench.machine.isWindowReadOnly = false
    try pair.bench.recount()
    #expect(pair.kill(pair.mapper))
    #expect(pair.flags(of: 8) == GTF_permit_access)
  }

  @Test func map_interrupted_goesOnWithTheRest() throws {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    let element: [UInt64] = [20 << 12, UInt64(GNTMAP_host_map) | 8 << 32, 1, 0]
    pair.bench.machine.poke(element + [21 << 12] + element[1...], at: 0)
    pair.bench.machine.preemptAfter = 0
    var arguments = HypercallArguments(0, GrantBench.window, 2)
    #expect(pair.bench.hypervisor.grantTableOperation(&arguments, from: pair.mapper) == .again)
    #expect(arguments[1] == GrantBench.window + 32)
    #expect(arguments[2] == 1)
    #expect(pair.bench.hypervisor.grantTableOperation(&arguments, from: pair.mapper) == .value(0))
    #expect(pair.entry(at: 21 << 12) & 1 == 1)
    try pair.bench.recount()
  }
}
