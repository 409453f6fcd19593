// `xenograft boot` against machines that behave, and against those that do not.

import Foundation
import Testing

@Suite struct BootTests {
  @Test func powerOff_endsWith0_andPrintsTheGuestAlone() throws {
    let qemu = try FakeQemu(
      "say info: hello; echo one; say info: shutdown: domain=0 reason=poweroff")
    let run = try qemu.boot(["--log", qemu.file("log")])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text == "one\n")
    #expect(run.errors.isEmpty)
    #expect(
      try qemu.text("log")
        == "rootstock: info: hello\none\nrootstock: info: shutdown: domain=0 reason=poweroff\n")
    #expect(try !qemu.leavesFolder && qemu.partials.isEmpty)
    let verbose = try qemu.boot(["--verbose"])
    #expect(verbose.errors.contains("rootstock: info: hello") && verbose.text == "one\n")
  }

  /// The hypervisor's records come behind the end of the guest, and on a busy machine not at once.
  @Test func recordsBehindTheShutdown_areWaitedFor() throws {
    let qemu = try FakeQemu(
      """
      say info: shutdown: domain=0 reason=poweroff
      sleep 1.5; say info: trap: rip=0x100010 rule=cpuid count=12
      sleep 1.5; say info: hypercall: number=1 count=40 errors=2
      """)
    let result = try qemu.result(qemu.boot(["--format", "json"]))
    #expect((result["traps"] as? [[String: Any]])?.first?["count"] as? Int == 12)
    let hypercalls = try #require(result["hypercalls"] as? [[String: Any]])
    #expect(hypercalls.map { $0["name"] as? String } == ["mmu_update"])
    #expect(hypercalls.first?["errors"] as? Int == 2)
  }

  @Test func machineThatStaysBehindItsGuest_isEnded() throws {
    let qemu = try FakeQemu("say info: shutdown: domain=0 reason=poweroff; exec sleep 100")
    let start = ContinuousClock.now
    let run = try qemu.boot()
    #expect(run.status == 0)
    #expect(ContinuousClock.now - start < .seconds(15))
    #expect(try !qemu.isRunning)
  }

  @Test(arguments: [
    "exec sleep 100", "exec yes", "while :; do printf 'rootstock: endless '; done",
    "trap '' TERM; while :; do sleep 0.1; done",
  ])
  func silenceOrEndlessOutput_isATimeout(body: String) throws {
    let qemu = try FakeQemu(body)
    let start = ContinuousClock.now
    let run = try qemu.boot(["--timeout", "1", "--result", qemu.file("result")])
    #expect(run.status == 1)
    #expect(run.errors.contains("still running"))
    #expect(try qemu.text("result").contains("\"verdict\" : \"timeout\""))
    #expect(ContinuousClock.now - start < .seconds(15))
    #expect(try !qemu.isRunning && !qemu.leavesFolder)
  }

  @Test(arguments: ["head -c 100000 /dev/urandom", "echo hello", "say info: Rootstock starts"])
  func endWithoutAWord_isACrash(body: String) throws {
    let run = try FakeQemu(body).boot(["--format", "json"])
    #expect(run.status == 1)
    let result = try #require(try JSONSerialization.jsonObject(with: run.output) as? [String: Any])
    #expect(result["verdict"] as? String == "crash")
    #expect(run.errors.contains("the machine ended without a word"))
  }

  @Test func machineThatDoesNotStart_endsWith2_andSaysWhy() throws {
    let run = try FakeQemu("echo 'no such machine' >&2; exit 1").boot()
    #expect(run.status == 2 && run.errors.contains("no such machine") && run.output.isEmpty)
  }

  @Test func missingQemu_endsWith3_andNamesThePackage() throws {
    let qemu = try FakeQemu("")
    try FileManager.default.removeItem(atPath: qemu.file("bin/qemu-system-x86_64"))
    let run = try Command.run(
      ["boot", "--rootstock", qemu.file("hypervisor"), try #require(sampleKernel)],
      search: qemu.file("bin"))
    #expect(run.status == 3 && run.errors.contains("qemu-system-x86"))
  }

  @Test func crash_isToldWithRegisters() throws {
    let qemu = try FakeQemu(
      """
      say error: crash: domain=0 vcpu=0 mode=kernel reason=no handler for the exception
      say error: crash: vector=14 rip=0x100010 rsp=0x9000
      say error: shutdown: domain=0 reason=crash
      """)
    let run = try qemu.boot(["--format", "json"])
    #expect(run.status == 1)
    let crash = try #require(try qemu.result(run)["crash"] as? [String: Any])
    #expect(crash["reason"] as? String == "no handler for the exception")
    #expect((crash["registers"] as? [String: String])?["rsp"] == "0x9000")
    #expect(crash["function"] is String)
  }

  @Test func panicBehindAPowerOff_isACrash() throws {
    let qemu = try FakeQemu(
      "say info: shutdown: domain=0 reason=poweroff; say error: panic: frames are missing")
    let run = try qemu.boot()
    #expect(run.status == 1 && run.errors.contains("Rootstock: frames are missing"))
  }

  @Test func expectations_decide() throws {
    let qemu = try FakeQemu("echo one; say info: shutdown: domain=0 reason=poweroff")
    #expect(try qemu.boot(["--expect", "^one$"]).status == 0)
    let run = try qemu.boot(["--expect", "two"])
    #expect(run.status == 1 && run.errors.contains("expected and not seen: two"))
    let prompt = try FakeQemu("printf 'login: '; exec sleep 100")
    let until = try prompt.boot(["--expect", "login:", "--until-expect", "--format", "json"])
    #expect(until.status == 0)
    #expect(try prompt.result(until)["verdict"] as? String == "expected")
    #expect(try !prompt.isRunning)
  }

  @Test func interruption_leavesNothing() throws {
    let qemu = try FakeQemu("trap '' TERM INT; echo one; while :; do sleep 0.1; done")
    let options = ["--log", qemu.file("log"), "--events", qemu.file("events")]
    let run = try qemu.boot(options) { command in
      for _ in 0..<500 where !FileManager.default.fileExists(atPath: qemu.file("process")) {
        usleep(20_000)
      }
      kill(command.processIdentifier, SIGINT)
    }
    #expect(run.status == 130)
    #expect(try !qemu.isRunning && !qemu.leavesFolder)
    #expect(qemu.partials.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: qemu.file("log")))
  }
}
