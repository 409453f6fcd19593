// Boots as the harness tells them, and what each check makes of them.

import ABISchema
import Testing

@testable import Harness
@testable import Validation

@Suite struct JudgementTests {
  private func port(_ checks: String, _ more: String = "") throws -> Port {
    let result = PortReader.read("kernel: k\n\(more)checks: \(checks)\n", file: "PORT.yaml")
    return try #require(result.port, "\(result.diagnostics)")
  }

  private func boot(_ verdict: Verdict, _ change: (inout BootResult) -> Void = { _ in })
    -> BootResult
  {
    var result = BootResult(
      verdict: verdict, times: BootTimes(total: 3), expectations: [], domains: [], copies: 1,
      crash: nil, traps: [], hypercalls: [], grants: [], vcpus: [])
    change(&result)
    return result
  }

  private func run(
    _ result: BootResult, of port: Port, console: String = "", log: String = ""
  ) throws -> BootRun {
    let plan = JobPlan(port: port, checks: port.checks, images: ImagePaths())
    let job = try #require(plan.ownJob)
    let recorder = BootRecorder(job.watches)
    if !console.isEmpty { recorder.take(.guest(Array(console.utf8))) }
    for line in log.split(separator: "\n") { recorder.take(.hypervisor(String(line))) }
    recorder.end()
    var run = BootRun(name: JobPlan.own, request: job.request, result: .success(result))
    run.seen = recorder.observation
    run.awaitedEnd = job.awaitsEnd
    return run
  }

  private func judge(
    _ checks: String, _ result: BootResult, console: String = "", log: String = "",
    more: String = ""
  ) throws -> CheckOutcome {
    let port = try port(checks, more)
    let run = try run(result, of: port, console: console, log: log)
    return BootJudgement(run: run, port: port).judge(port.checks[0])
  }

  private func place(_ address: UInt64, _ function: String, _ line: Int) -> CodePlace {
    var place = CodePlace(address: address)
    place.function = function
    place.file = "src/traps.c"
    place.line = line
    return place
  }

  @Test func boots_wantsOutputAndNoCrash() throws {
    #expect(try judge("[boots]", boot(.poweroff), console: "hello\n").status == .passed)
    #expect(try judge("[boots]", boot(.timeout), console: "hello\n").status == .passed)
    let silent = try judge("[boots]", boot(.timeout))
    #expect(silent.status == .failed && silent.message.contains("expected output"))
    let crash = CrashReport(
      reason: "no handler", place: place(0x1000, "trap", 12), registers: [], backtrace: [])
    let crashed = try judge("[boots]", boot(.crash) { $0.crash = crash }, console: "hello\n")
    #expect(crashed.status == .failed && crashed.message.contains("src/traps.c:12"))
    #expect(crashed.places.first?.line == 12)
  }

  @Test func powersOff_tellsHowElseItEnded() throws {
    #expect(try judge("[powers-off]", boot(.poweroff)).status == .passed)
    let hung = try judge("[powers-off]", boot(.timeout), console: "one\ntwo\n")
    #expect(hung.status == .failed && hung.message.contains("still running"))
    #expect(hung.details.last == "  two")
    let reboot = try judge("[{check: powers-off, end: reboot}]", boot(.reboot))
    #expect(reboot.status == .passed)
    #expect(try judge("[powers-off]", boot(.reboot)).message == "expected poweroff, found reboot")
  }

  @Test func aHang_isToldWithItsPlace() throws {
    var page = CodePlace(address: 0x9000)
    page.function = "hypercall_page"
    let hang = VCPUPlace(
      domain: 0, vcpu: 1, state: "blocked", place: page, backtrace: [place(0x1000, "wait", 88)])
    let found = try judge("[powers-off]", boot(.timeout) { $0.vcpus = [hang] })
    #expect(
      found.message
        == "expected poweroff in 60.00 s, found the guest still running, "
        + "vcpu 1 blocked at 0x1000 wait (src/traps.c:88)")
    #expect(found.places.first?.line == 88)
    #expect(found.details.first == "vcpu 1 is blocked at 0x9000 hypercall_page")
  }

  @Test func strict_namesTheWorstPlace_andLetsPassWhatIsAllowed() throws {
    let traps = [
      TrapRecord(place: place(0x1000, "probe", 7), rule: "cpuid", count: 12),
      TrapRecord(place: place(0x2000, "clock", 9), rule: "rdmsr", count: 3),
    ]
    let result = boot(.poweroff) { $0.traps = traps }
    let found = try judge("[strict, powers-off]", result)
    #expect(found.status == .failed && found.message.contains("2 places; most often cpuid, 12"))
    #expect(found.places.map(\.line) == [7, 9])
    let allowed = "[{check: strict, allow: [cpuid, {rule: 'rd*', function: clock, most: 3}]}]"
    #expect(try judge(allowed, result).status == .passed)
    let fewer = "[{check: strict, allow: [cpuid, {rule: 'rd*', most: 2}]}]"
    #expect(try judge(fewer, result).message.contains("1 place; most often rdmsr"))
    let cut = try judge("[strict, powers-off]", boot(.timeout))
    #expect(cut.status == .skipped && cut.message.contains("did not end"))
  }

  /// Without an end there is no record: then the guest runs under the strict policy.
  @Test func strict_withoutAnEnd_isThePolicy() throws {
    let port = try port("[strict]")
    let plan = JobPlan(port: port, checks: port.checks, images: ImagePaths())
    #expect(plan.ownJob?.request.policy == .strict && plan.ownJob?.awaitsEnd == false)
    #expect(try judge("[strict]", boot(.expected), console: "x\n").status == .passed)
    let line = "rootstock: error: strict: rip=0x1000 rule=hlt"
    let crash = CrashReport(
      reason: "strict", place: place(0x1000, "idle", 3), registers: [], backtrace: [])
    let found = try judge("[strict]", boot(.crash) { $0.crash = crash }, log: line)
    #expect(found.status == .failed && found.message.contains("idle (src/traps.c:3)"))
  }

  @Test func grants_areJudgedByRootstocksCount() throws {
    func left(_ granted: Int, _ mapped: Int) -> BootResult {
      boot(.poweroff) {
        $0.grants = [
          GrantRecord(domain: 0, granted: granted, used: 0, mapped: mapped, first: 9)
        ]
      }
    }
    #expect(try judge("[grants]", left(0, 0)).status == .passed)
    let leak = try judge("[grants]", left(2, 0))
    #expect(leak.status == .failed && leak.message.contains("reference 9"))
    #expect(try judge("[grants]", left(0, 1)).message.contains("mapped"))
    #expect(try judge("[{check: grants, most: 2}]", left(2, 0)).status == .passed)
    #expect(try judge("[grants]", boot(.timeout)).status == .skipped)
    // With a device the guest is domain 1.
    let devices = "disks: [{size: 1}]\n"
    #expect(try judge("[grants]", left(5, 0), more: devices).status == .skipped)
    let balance = "rootstock: error: balance: free-before=100 free-after=99 milliseconds=5"
    let lost = try judge("[grants]", left(0, 0), log: balance)
    #expect(lost.status == .failed && lost.message.contains("all 100 free frames"))
  }

  @Test func grants_areNamedByTheirPages_andEndedInUseTheyFail() throws {
    var page = DataPlace(address: 0x3010)
    page.variable = "pool"
    page.offset = 0x10
    func left(_ granted: Int, _ torn: Int) -> BootResult {
      boot(.poweroff) {
        var record = GrantRecord(domain: 0, granted: granted, used: 0, mapped: 0, first: 9)
        record.page = granted > 0 ? page : nil
        record.torn = torn
        record.tornPage = torn > 0 ? page : nil
        $0.grants = [record]
      }
    }
    let leak = try judge("[grants]", left(1, 0))
    #expect(leak.message.contains("reference 9 for the page at 0x3010 pool+0x10"))
    #expect(leak.places.first?.function == "pool")
    let torn = try judge("[{check: grants, most: 9}]", left(1, 2))
    #expect(torn.status == .failed)
    #expect(
      torn.message.contains("2 ended while others used them, the first for the page at 0x3010"))
  }

  @Test func order_isJudgedByRootstocksWatch() throws {
    let slip = TrapRecord(
      place: place(0x1000, "enable", 40), rule: "unmask-without-look", count: 3)
    let watched = "rootstock: info: order-watched: domain=0 unmasked=9 time=1 published=0 wished=0"
    let bad = try judge("[order]", boot(.poweroff) { $0.slips = [slip] }, log: watched)
    #expect(bad.status == .failed && bad.places.first?.line == 40)
    #expect(bad.message.contains("a look at evtchn_upcall_pending"))
    #expect(bad.message.contains("(src/traps.c:40)"))
    let good = try judge("[order]", boot(.poweroff) { $0.slips = [] }, log: watched)
    #expect(good.status == .passed)
    #expect(good.message.hasSuffix("order of unmasking, reading the time"))
    // Where nothing was seen nothing was shown.
    #expect(try judge("[order]", boot(.poweroff) { $0.slips = [] }).status == .skipped)
    #expect(try judge("[order]", boot(.timeout)).status == .skipped)
    let plan = JobPlan(
      port: try port("[order]"), checks: try port("[order]").checks, images: .init())
    #expect(plan.ownJob?.request.watchesOrder == true && plan.ownJob?.awaitsEnd == true)
  }

  @Test func onXen_recordsAreSkipped() throws {
    for check in ["strict", "grants", "order"] {
      let outcome = try judge("[\(check)]", boot(.poweroff), more: "hypervisor: xen\n")
      #expect(outcome.status == .skipped && outcome.message.contains("stock Xen"))
    }
  }

  @Test func time_isComparedWithThisMachines_whereAsked() throws {
    let check = #"[{check: time, pattern: 't (\d+)', samples: 2}]"#
    #expect(try judge(check, boot(.poweroff), console: "t 1\nt 2\n").status == .passed)
    let falling = try judge(check, boot(.poweroff), console: "t 5\nt 4\n")
    #expect(falling.status == .failed && falling.message.contains("line 2 behind 5.0 s on line 1"))
    #expect(try judge(check, boot(.poweroff), console: "t 5\n").message.contains("found 1"))
    let compared = #"[{check: time, pattern: 't (\d+)', tolerance: 0.5}]"#
    let short = try judge(compared, boot(.poweroff), console: "t 5\nt 6\n")
    #expect(short.status == .skipped && short.message.contains("too short"))
  }

  @Test func consoleBeforeACrash_tellsOfBoth() throws {
    let crash = CrashReport(
      reason: "double fault", place: nil, registers: [], backtrace: [])
    let outcome = try judge(
      "[{check: console, lines: [one, two]}]", boot(.crash) { $0.crash = crash }, console: "one\n")
    #expect(
      outcome.message
        == "expected a line with `two` behind line 1, found none in 1 line before its end, "
        + "found a crash: double fault")
  }

  @Test func bootsThatWereNotTried_areSkippedOrFailed() throws {
    let port = try port("[boots]")
    let plan = JobPlan(port: port, checks: port.checks, images: ImagePaths())
    let request = try #require(plan.ownJob).request
    func outcome(_ error: HarnessError) -> CheckOutcome {
      BootJudgement(
        run: BootRun(name: "own", request: request, result: .failure(error)), port: port
      ).judge(port.checks[0])
    }
    #expect(outcome(.missing(what: "qemu", remedy: .package("q"))).status == .skipped)
    #expect(outcome(.emulator(message: "")).status == .failed)
  }

  @Test func otherHypervisor_isComparedLineByLine() throws {
    let port = try port(
      "[{check: hypervisor, same-console: true, ignore: '^Xen', mask: '[0-9]+ ms'}]")
    guard case .hypervisor(let check) = port.checks[0].body else { return }
    let own = try run(boot(.poweroff), of: port, console: "Rootstock 1\nup 5 ms\nend\n")
    func judge(_ verdict: Verdict, _ console: String) throws -> CheckOutcome {
      let other = try run(boot(verdict), of: port, console: console)
      return HypervisorJudgement(own: own, other: other, port: port).judge(check)
    }
    let good = try judge(.poweroff, "Xen says\nRootstock 1\nup 77 ms\nend\n")
    #expect(good.status == .passed && good.message == "poweroff and the same 3 lines on both")
    let bad = try judge(.poweroff, "Rootstock 1\nup 77 s\nend\n")
    #expect(bad.status == .failed && bad.message.contains("from line 2 on xen `up 77 s`"))
    #expect(try judge(.poweroff, "Rootstock 1\n").message.contains("no more lines"))
    #expect(try judge(.timeout, "Rootstock 1\n").message.contains("found timeout"))
  }

  @Test func faults_mustStrike_andBeSurvived() throws {
    let port = try port(
      "[{check: faults, inject: ['store:late:every=9'], lines: good}, powers-off]")
    let plan = JobPlan(port: port, checks: port.checks, images: ImagePaths())
    let (label, fault, job) = try #require(plan.jobs(of: port.checks[0]).first)
    #expect(label == "faults" && fault == "store:late:every=9" && job.awaitsEnd)
    func judge(
      _ verdict: Verdict, torn: Int = 0, strikes: Int = 1, console: String = "good\n"
    ) -> CheckOutcome {
      let recorder = BootRecorder(job.watches)
      recorder.take(.guest(Array(console.utf8)))
      for _ in 0..<strikes {
        recorder.take(.hypervisor("controldomain: fault store:late strikes domain 1"))
      }
      recorder.end()
      let result = boot(verdict) {
        guard torn > 0 else { return }
        var record = GrantRecord(domain: 0, granted: 0, used: 0, mapped: 0, first: 0)
        record.torn = torn
        $0.grants = [record]
      }
      var run = BootRun(name: job.name, request: job.request, result: .success(result))
      run.seen = recorder.observation
      return FaultJudgement(run: run, port: port, check: port.checks[0], fault: fault).judge()
    }
    #expect(judge(.poweroff).status == .passed)
    #expect(judge(.crash).message.contains("survives store:late"))
    #expect(judge(.timeout).message.contains("still running"))
    #expect(judge(.poweroff, torn: 1).message.contains("1 ended while others used them"))
    #expect(judge(.poweroff, strikes: 0).message.contains("too few requests"))
    #expect(judge(.poweroff, console: "bad\n").message.contains("expected a line with `good`"))
  }
}
