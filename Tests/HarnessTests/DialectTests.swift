// What hypervisors print at a guest's end, read back as verdict, registers and stack.

import Testing

@testable import Harness

@Suite struct DialectTests {
  static let xenCrash = """
    d0v0 Unhandled: vec 14, #PF[0002]
    Pagetable walk from 0000001234567000:
     L4[0x000] = 0000000000000000 ffffffffffffffff
    domain_crash_sync called from entry.S: fault at ffff82d040204b78
    Domain 0 (vcpu#0) crashed on cpu#0:
    ----[ Xen-4.17.7  x86_64  debug=n  Not tainted ]----
    CPU:    0
    RIP:    e033:[<ffffffff8010103e>]
    RFLAGS: 0000000000000282   EM: 1   CONTEXT: pv guest (d0v0)
    rax: 0000001234567000   rbx: 0000000000000000   rcx: 000000000000000f
    rbp: ffffffff801d6fd0   rsp: ffffffff801d6fc0   r8:  000000000000001c
    ds: 0000   es: 0000   fs: 0000   gs: 0000   ss: e02b   cs: e033
    Guest stack trace from rsp=ffffffff801d6fc0:
       0000000000000001 0000000000000002 ffffffff801d6fe0 ffffffff80101027
       ffffffff801d6ff0 ffffffff801027e3 0000000000000000 ffffffff801031a2
    Hardware Dom0 crashed: 'noreboot' set - not rebooting.
    """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)

  @Test(arguments: [
    ("Hardware Dom0 halted: halting machine", Verdict.poweroff),
    ("Hardware Dom0 crashed: 'noreboot' set - not rebooting.", .crash),
    ("Hardware Dom0 shutdown: rebooting machine", .reboot),
    ("Hardware Dom0 shutdown: watchdog rebooting machine", .crash),
    ("Hardware Dom0 shutdown (unknown reason 2): 'noreboot' set - not rebooting.", .suspended),
    ("Preparing system for ACPI S5 state.", .poweroff),
    ("Panic on CPU 0:", .crash),
  ])
  func xenLine_endsTheGuest(line: String, verdict: Verdict) {
    #expect(verdict == verdictOf(XenDialect().notice(in: line)))
  }

  private func verdictOf(_ notice: HypervisorNotice) -> Verdict? {
    switch notice {
    case .domainEnded(0, let verdict, _): verdict
    case .machineEnded(let verdict): verdict
    default: nil
    }
  }

  @Test func otherXenLine_saysNothing() {
    #expect(XenDialect().notice(in: "Freed 656kB init memory") == .other)
  }

  @Test func xenCrash_hasReasonRegistersAndCallers() throws {
    let crash = try #require(XenDialect().crash(of: 0, in: Self.xenCrash))
    #expect(crash.reason == "d0v0 Unhandled: vec 14, #PF[0002]")
    #expect(crash.register("rip") == 0xffff_ffff_8010_103e)
    #expect(crash.register("rax") == 0x12_3456_7000)
    #expect(crash.register("rflags") == 0x282)
    #expect(crash.register("cs") == 0xe033)
    #expect(crash.register("cpu") == nil)
    #expect(crash.stack.count == 8)
    let callers = crash.returnAddresses {
      $0 >= 0xffff_ffff_8010_0000 && $0 < 0xffff_ffff_8011_0000
    }
    #expect(callers == [0xffff_ffff_8010_1027, 0xffff_ffff_8010_27e3, 0xffff_ffff_8010_31a2])
  }

  @Test func frameChainThatLoops_ends() {
    var crash = RawCrash(reason: "")
    crash.registers = [
      RegisterValue(name: "rsp", value: 0x1000), RegisterValue(name: "rbp", value: 0x1000),
    ]
    crash.stack = [0x1000, 0x5000, 0x1000, 0x5000]
    #expect(crash.returnAddresses { $0 == 0x5000 } == [0x5000])
  }

  @Test func registersAtTheEdgeOfMemory_doNotTrap() {
    var crash = RawCrash(reason: "")
    crash.registers = [
      RegisterValue(name: "rsp", value: .max - 7), RegisterValue(name: "rbp", value: .max - 7),
    ]
    crash.stack = [1, 2]
    #expect(crash.returnAddresses { _ in false }.isEmpty)
  }

  @Test func garbage_isNoCrash() {
    #expect(XenDialect().crash(of: 0, in: ["RIP:", "RIP: ><", "a: b", ":", ""]) == nil)
    let crash = XenDialect().crash(
      of: 0,
      in: [
        "Domain 0 crashed on cpu#0:", "RIP: >x<", "rax: zz", "rbx:",
      ])
    #expect(crash?.registers.isEmpty == true)
  }

  @Test(arguments: [
    ("info: shutdown: domain=0 reason=poweroff", Verdict.poweroff),
    ("info: shutdown: domain=0 reason=reboot", .reboot),
    ("info: shutdown: domain=0 reason=watchdog", .crash),
    ("info: shutdown: domain=0 reason=", .crash),
    ("error: panic: no memory", .crash),
  ])
  func rootstockLine_endsTheGuest(line: String, verdict: Verdict) {
    #expect(verdict == verdictOf(RootstockDialect().notice(in: line)))
  }

  @Test func xenCrashes_areToldApartByDomain() throws {
    let lines = [
      "d1v0 Unhandled: vec 14, #PF[0002]", "Domain 1 (vcpu#0) crashed on cpu#0:",
      "RIP:    e033:[<ffffffff8010103e>]", "Hardware Dom0 crashed: 'noreboot' set - not rebooting.",
    ]
    let guest = try #require(XenDialect().crash(of: 1, in: lines))
    #expect(guest.register("rip") == 0xffff_ffff_8010_103e && guest.reason.contains("Unhandled"))
    #expect(XenDialect().crash(of: 0, in: lines)?.registers.isEmpty == true)
    #expect(XenDialect().crash(of: 2, in: lines) == nil)
  }

  @Test func rootstockCrash_hasReasonRegistersAndStack() throws {
    let crash = try #require(
      RootstockDialect().crash(
        of: 0,
        in: [
          "error: crash: domain=0 vcpu=0 mode=kernel reason=a trap without a handler",
          "error: crash: vector=14 error=0x6 rip=0xffffffff8010103e cs=0xe033",
          "error: crash: stack=0x1 0x2 ",
          "error: shutdown: domain=0 reason=crash",
        ]))
    #expect(crash.reason == "a trap without a handler")
    #expect(crash.register("rip") == 0xffff_ffff_8010_103e)
    #expect(crash.stack == [1, 2])
  }

  @Test func rootstockCrashes_areToldApartByDomain() throws {
    let lines = [
      "error: crash: domain=1 vcpu=0 mode=kernel reason=one", "error: crash: rip=0x1 rsp=0x10",
      "error: crash: domain=2 vcpu=0 mode=user reason=two", "error: crash: domain=2 rip=0x2",
      "error: crash: domain=1 stack=0x5", "error: crash: domain=2 stack=0x6 0x7",
      "info: shutdown: domain=3 reason=watchdog",
    ]
    let one = try #require(RootstockDialect().crash(of: 1, in: lines))
    #expect(one.reason == "one" && one.stack == [5])
    #expect(one.register("rip") == 1 && one.register("rsp") == 0x10)
    let two = try #require(RootstockDialect().crash(of: 2, in: lines))
    #expect(two.reason == "two" && two.register("rip") == 2 && two.stack == [6, 7])
    #expect(
      RootstockDialect().crash(of: 3, in: lines)?.reason
        == "the guest shut itself down with reason watchdog")
    #expect(RootstockDialect().crash(of: 4, in: lines) == nil)
  }

  @Test func rootstockRecords_ofDomainsAreSummed() {
    let lines = [
      "info: trap: domain=0 rip=0x1000 rule=cpuid count=1",
      "info: trap: domain=1 rip=0x1000 rule=cpuid count=18446744073709551615",
      "info: trap: domain=2 rip=0x1000 rule=cpuid count=5",
      "info: hypercall: domain=1 number=1 count=2 errors=1",
      "info: hypercall: number=1 count=3 errors=0",
    ]
    let records = RootstockDialect().records(of: [0, 1], in: lines)
    #expect(records.traps.map(\.count) == [.max])
    #expect(records.hypercalls.map(\.count) == [5] && records.hypercalls.first?.errors == 1)
    #expect(RootstockDialect().records(of: [2], in: lines).traps.map(\.count) == [5])
  }

  @Test func rootstockRecords_haveNamesOfHypercalls() {
    let records = RootstockDialect().records(
      of: [0],
      in: [
        "info: trap: rip=0x1000 rule=cpuid count=12", "info: hypercall: number=1 count=40 errors=2",
        "info: hypercall: number=999 count=1 errors=1", "info: hypercall: number=x count=",
      ])
    #expect(records.traps.map(\.rule) == ["cpuid"])
    #expect(records.traps.first?.place.address == 0x1000)
    #expect(records.hypercalls.map(\.name) == ["mmu_update", "999"])
    #expect(records.hypercalls.first?.errors == 2)
  }

  @Test func grantsLeftOver_areReadWholeOrNotAtAll() {
    let lines = [
      "info: grants: domain=1 granted=2 used=1 mapped=0 first=9",
      "info: grants: domain=2 granted=lots used=1 mapped=0 first=9",
      "info: grants: domain=3",
    ]
    let records = RootstockDialect().grants(in: lines)
    #expect(records.count == 1)
    #expect(records.first == GrantRecord(domain: 1, granted: 2, used: 1, mapped: 0, first: 9))
    #expect(XenDialect().grants(in: lines).isEmpty)
  }

  @Test func grantsLeftOver_haveTheirPages_whereTheGuestSeesThem() {
    let lines = [
      "info: grants: domain=1 granted=2 used=1 mapped=0 first=9 page=0xffff800000123000 torn=3 torn-page=0x0"
    ]
    let record = RootstockDialect().grants(in: lines).first
    #expect(record?.page?.address == 0xffff_8000_0012_3000)
    #expect(record?.torn == 3 && record?.tornPage == nil)
  }

  /// A stub of the hypercall page pushes two registers, and has no frame pointer.
  @Test func whoSleepsInTheHypercallPage_isNamedByItsCaller() throws {
    let stub: UInt64 = 0x1000 + 29 * 32 + 10
    var place = VCPUPlace(
      domain: 1, vcpu: 0, state: "blocked", place: CodePlace(address: stub),
      backtrace: [CodePlace(address: 0x5000)])
    place.place.line = 18
    place.backtrace[0].line = 67
    #expect(place.telling.address == 0x5000)
    place.state = "running"
    #expect(place.telling.address == stub)
  }

  @Test func slips_areThoseOfTheDomains_andUnknownWhereNobodyWatched() {
    let slip = "info: order: domain=1 rip=0x1000 rule=unmask-without-look count=3"
    let lines = [
      slip, "info: order: domain=2 rip=0x2000 rule=unmask-without-look count=3",
      "info: order: domain=1 rip=none rule=unmask-without-look count=3",
      "info: order-watched: domain=1 unmasked=9 time=0 published=0 wished=0",
    ]
    let found = RootstockDialect().slips(of: [1], in: lines)
    #expect(found?.map(\.place.address) == [0x1000] && found?.first?.count == 3)
    #expect(RootstockDialect().slips(of: [1], in: [slip]) == nil, "the domain has not ended")
    #expect(XenDialect().slips(of: [1], in: lines) == nil)
  }

  @Test func whereabouts_areReadWithTheirRegisters() {
    let found = RootstockDialect().whereabouts(in: [
      "info: where: rip=0x5", "info: where: domain=1 vcpu=2 state=blocked mode=kernel",
      "info: where: rip=0x1000 rsp=0x9000 rbp=0x0", "info: where: stack=0x1 0x2",
      "info: where: domain=x vcpu=2", "info: where: domain=0 vcpu=0 state=running mode=user",
    ])
    #expect(found.count == 2)
    #expect(found.first?.state == "blocked" && found.first?.vcpu == 2)
    #expect(found.first?.raw.register("rip") == 0x1000 && found.first?.raw.stack == [1, 2])
    #expect(found.last?.raw.register("rip") == nil)
  }
}
