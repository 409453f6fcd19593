// `xenograft validate` as a CI system runs it: the verdict, the exit code, the time, and that nothing is
// left, whatever the machine does.

import Foundation
import Testing

// One at a time: some have machines that print as fast as they can.
@Suite(.serialized) struct ValidateTests {
  private static let good = """
    echo one; echo two
    say info: grants: domain=0 granted=0 used=0 mapped=0 first=0
    say info: shutdown: domain=0 reason=poweroff
    """
  private static let checks =
    "[boots, {check: console, lines: [one, two]}, powers-off, strict, grants]"

  /// Writes a PORT.yaml beside the machine's files.
  private func write(
    _ checks: String = checks, timeout: Double = 20, _ more: String = "", in qemu: FakeQemu
  ) throws {
    let text =
      "name: port\nkernel: \(qemu.kernel)\naccel: tcg\ntimeout: \(timeout)\n\(more)\nchecks: \(checks)\n"
    _ = try qemu.scratch.file("PORT.yaml", Array(text.utf8))
  }

  /// Validates it, with a folder for temporary files that must be empty afterwards.
  private func validate(
    _ qemu: FakeQemu, _ options: [String] = [], search: String? = nil,
    whileRunning: ((Process) -> Void)? = nil
  ) throws -> Run {
    try Command.run(
      ["validate", "--rootstock", qemu.file("hypervisor")] + options + [qemu.file("PORT.yaml")],
      search: search ?? qemu.search, whileRunning: whileRunning)
  }

  private func statuses(_ run: Run) throws -> [String: String] {
    let report = try #require(
      try JSONSerialization.jsonObject(with: run.output) as? [String: Any], "\(run.errors)")
    #expect(report["schema"] as? String == "xenograft.validate/1")
    let ports = try #require(report["ports"] as? [[String: Any]])
    let checks = ports.flatMap { $0["checks"] as? [[String: Any]] ?? [] }
    return Dictionary(
      uniqueKeysWithValues: checks.map {
        ($0["name"] as? String ?? "", $0["status"] as? String ?? "")
      })
  }

  @Test func aGoodPort_endsWith0_andLeavesNothing() throws {
    let qemu = try FakeQemu(Self.good)
    try write(in: qemu)
    let run = try validate(qemu)
    #expect(run.status == 0, "\(run.text)\(run.errors)")
    #expect(run.text.contains("5 passed, 0 failed, 0 skipped") && run.errors.isEmpty)
    #expect(!run.text.contains("\u{1B}"), "colour is for terminals")
    #expect(!FileManager.default.fileExists(atPath: qemu.file(".xenograft")))
    #expect(try !qemu.leavesFolder && qemu.partials.isEmpty)
  }

  @Test func aFailure_leavesItsArtefacts_andAGoodRunTakesThemAway() throws {
    let qemu = try FakeQemu(
      """
      echo one
      say error: crash: domain=0 vcpu=0 mode=kernel reason=no handler for the exception
      say error: crash: vector=14 rip=0x100010 rsp=0x9000
      say info: trap: domain=0 rip=0x100010 rule=cpuid count=12
      say error: shutdown: domain=0 reason=crash
      """)
    try write(in: qemu)
    let run = try validate(qemu, ["--format", "json"])
    #expect(run.status == 1)
    let statuses = try statuses(run)
    #expect(statuses["boots"] == "failed" && statuses["console"] == "failed")
    #expect(statuses["powers-off"] == "failed" && statuses["strict"] == "failed")
    let folder = qemu.file(".xenograft/port")
    for name in ["summary.txt", "console.txt", "hypervisor.log", "crash.txt", "traps.json"] {
      #expect(FileManager.default.fileExists(atPath: folder + "/" + name), "\(name)")
    }
    #expect(try qemu.text(".xenograft/port/console.txt") == "one\n")
    let crash = try qemu.text(".xenograft/port/crash.txt")
    #expect(crash.contains("no handler") && crash.contains("rsp 0000000000009000"))
    #expect(crash.contains(".S:") || crash.contains(".c:"), "source lines: \(crash)")
    try write("[{check: console, lines: one}]", in: qemu)
    #expect(try validate(qemu).status == 0)
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test func qemuThatIsKilled_isACrash_andSaysSo() throws {
    let qemu = try FakeQemu("say info: hello; echo one; kill -9 $$; sleep 100")
    try write(in: qemu)
    let run = try validate(qemu)
    #expect(run.status == 1)
    #expect(run.text.contains("QEMU by signal 9"), "\(run.text)")
    #expect(try !qemu.isRunning && !qemu.leavesFolder)
    let early = try FakeQemu("kill -9 $$")
    try write(in: early)
    let none = try validate(early, ["--format", "json"])
    #expect(none.status == 1, "\(none.errors)")
    #expect(try statuses(none)["boots"] == "failed")
  }

  /// A guest that hangs, one that prints for ever with and without lines, one that ignores its end.
  @Test(arguments: [
    "echo one; exec sleep 100", "exec yes", "while :; do printf 'endless '; done",
    "while :; do printf 'rootstock: endless '; done",
    "trap '' TERM; echo one; while :; do sleep 0.1; done",
  ])
  func whatDoesNotEnd_isEndedInTime(body: String) throws {
    let qemu = try FakeQemu(body)
    try write(timeout: 1, in: qemu)
    let start = ContinuousClock.now
    let run = try validate(qemu, ["--format", "json"])
    // Many tests go on at once; .ci/validate holds it to five seconds behind its time.
    #expect(ContinuousClock.now - start < .seconds(40))
    #expect(run.status == 1)
    let statuses = try statuses(run)
    #expect(statuses["powers-off"] == "failed" && statuses["console"] == "failed")
    #expect(statuses["strict"] == "skipped", "no record without an end")
    #expect(try !qemu.isRunning && !qemu.leavesFolder)
    let console = FileManager.default.contents(atPath: qemu.file(".xenograft/port/console.txt"))
    #expect((console?.count ?? 0) < 2 << 20)
  }

  @Test func withoutAnEnd_theRunEndsWhenNothingMoreIsAwaited() throws {
    let qemu = try FakeQemu("echo one; echo two; exec sleep 100")
    try write("[boots, {check: console, lines: [one, two]}]", in: qemu)
    let start = ContinuousClock.now
    #expect(try validate(qemu).status == 0)
    #expect(ContinuousClock.now - start < .seconds(15))
    #expect(try !qemu.isRunning)
  }

  @Test func aMissingKernel_endsWith2_andItsPlaceIsNamed() throws {
    let qemu = try FakeQemu(Self.good)
    _ = try qemu.scratch.file("PORT.yaml", Array("kernel: gone\nchecks: [boots]\n".utf8))
    let run = try validate(qemu, ["--format", "tap"])
    #expect(run.status == 2 && run.errors.contains("PORT.yaml:1:9: error: expected a kernel at"))
    #expect(run.text.contains("# SKIP"))
    _ = try qemu.scratch.file("gone", Array("no kernel".utf8))
    let other = try validate(qemu)
    #expect(other.status == 2 && other.text.contains("PORT.yaml:1:9"), "\(other.text)")
  }

  @Test func missingDisk_endsWith2() throws {
    let qemu = try FakeQemu(Self.good)
    try write("[boots]", "disks: [{file: gone.img}]", in: qemu)
    let run = try validate(qemu, ["--control-domain", qemu.file("hypervisor")])
    #expect(run.status == 2 && run.text.contains("PORT.yaml:5:16"), "\(run.text)\(run.errors)")
  }

  @Test func badPort_endsWith2_beforeAnythingRuns() throws {
    let qemu = try FakeQemu(Self.good)
    _ = try qemu.scratch.file("PORT.yaml", Array("kernel: k\nchecks: [bots]\nmem: 5\n".utf8))
    let run = try validate(qemu)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errors.contains("PORT.yaml:2:10: error: expected a check's kind, found `bots`"))
    #expect(run.errors.contains("PORT.yaml:3:1: error: unknown key `mem`"))
    #expect(!FileManager.default.fileExists(atPath: qemu.file("arguments")))
  }

  @Test func missingQemu_endsWith3_andItsChecksAreSkipped() throws {
    let qemu = try FakeQemu("")
    try write(in: qemu)
    let run = try validate(qemu, ["--format", "json"], search: "/nowhere")
    #expect(run.status == 3 && run.errors.contains("qemu-system-x86"), "\(run.errors)")
    #expect(try Set(statuses(run).values) == ["skipped"])
    let strict = try validate(qemu, ["--strict-skips"], search: "/nowhere")
    #expect(strict.status == 1)
  }

  @Test func otherHypervisorThatIsMissing_isSkipped() throws {
    let qemu = try FakeQemu(Self.good)
    try write("[boots, hypervisor]", in: qemu)
    let run = try validate(qemu, ["--format", "json", "--xen", "/nowhere/xen"])
    #expect(try statuses(run)["hypervisor"] == "skipped")
  }

  @Test func aBuildThatFails_failsAlone() throws {
    let qemu = try FakeQemu(Self.good)
    try write(Self.checks, "build: 'echo broken line 7 >&2; exit 2'", in: qemu)
    let run = try validate(qemu, ["--format", "json"])
    #expect(run.status == 1)
    let statuses = try statuses(run)
    #expect(statuses["build"] == "failed" && statuses["boots"] == "skipped")
    #expect(try qemu.text(".xenograft/port/build.log") == "broken line 7\n")
    #expect(!FileManager.default.fileExists(atPath: qemu.file("arguments")))
  }

  @Test func only_choosesChecks_andMustNameOne() throws {
    let qemu = try FakeQemu(Self.good)
    try write(in: qemu)
    let run = try validate(qemu, ["--only", "boots", "--only", "grants", "--format", "json"])
    #expect(try run.status == 0 && Set(statuses(run).keys) == ["boots", "grants"])
    let wrong = try validate(qemu, ["--only", "boot"])
    #expect(wrong.status == 2 && wrong.errors.contains("expected one of boots"))
  }

  @Test(arguments: ["junit", "tap", "github", "json", "text"])
  func output_isWrittenWhole(format: String) throws {
    let qemu = try FakeQemu(Self.good)
    try write(in: qemu)
    let run = try validate(qemu, ["--format", format, "--output", qemu.file("report")])
    #expect(run.status == 0 && run.output.isEmpty && qemu.partials.isEmpty)
    #expect(try !qemu.text("report").isEmpty)
  }

  /// The sample kernel is a native one: its image fails, and says where.
  @Test func imageChecks_nameLines_andABaselineAcceptsWhatIsKnown() throws {
    let qemu = try FakeQemu(Self.good)
    let baseline = qemu.file("audit.json")
    try write(
      """
      [inspect, no-silent, abi, {check: audit, fail-on: replace},
       {check: audit, name: known, baseline: audit.json}]
      """, in: qemu)
    let missing = try validate(qemu, ["--only", "known", "--format", "json"])
    #expect(try statuses(missing) == ["known": "skipped"], "no baseline yet")
    #expect(missing.status == 2 && missing.errors.contains("expected a baseline at"))
    #expect(try Command.run(["audit", "--write-baseline", baseline, qemu.kernel]).status == 0)
    let run = try validate(qemu, ["--format", "json"])
    #expect(run.status == 1 && !FileManager.default.fileExists(atPath: qemu.file("arguments")))
    let statuses = try statuses(run)
    #expect(statuses["inspect"] == "failed" && statuses["no-silent"] == "failed")
    #expect(statuses["audit"] == "failed" && statuses["known"] == "passed")
    #expect(statuses["abi"] == "skipped", "it has no structure of Xen's")
    #expect(run.text.contains("main.c") || run.text.contains("start.S"))
    let github = try validate(qemu, ["--only", "no-silent", "--format", "github"])
    #expect(github.text.contains("::error file=") && github.text.contains(",line="))
    #expect(!github.text.contains("::error file=\(qemu.file("PORT.yaml"))"), "the guest's line")
  }

  /// Faults are boots of their own; with several jobs they go on at once.
  @Test func boots_goOnAtOnce() throws {
    let qemu = try FakeQemu(
      """
      case "$*" in *fault=*) say 'x'; echo 'controldomain: fault store:late strikes domain 1';; esac
      echo '(d1) one'; sleep 1
      say info: shutdown: domain=1 reason=poweroff
      """)
    try write(
      "[powers-off, {check: faults, inject: [store:late, console:late, store:error]}]", in: qemu)
    let start = ContinuousClock.now
    let run = try validate(
      qemu, ["--jobs", "4", "--format", "json", "--control-domain", qemu.kernel])
    #expect(ContinuousClock.now - start < .seconds(60))
    let statuses = try statuses(run)
    #expect(statuses["faults: store:late"] == "passed", "\(run.text)")
    #expect(statuses["faults: console:late"] == "failed", "it has not struck")
  }

  @Test func interruption_endsWith130_andLeavesNothing() throws {
    let qemu = try FakeQemu("trap '' TERM INT; echo one; while :; do sleep 0.1; done")
    try write(in: qemu)
    let run = try validate(qemu, ["--output", qemu.file("report")]) { command in
      for _ in 0..<500 where !FileManager.default.fileExists(atPath: qemu.file("process")) {
        usleep(20_000)
      }
      kill(command.processIdentifier, SIGINT)
    }
    #expect(run.status == 130)
    #expect(try !qemu.isRunning && !qemu.leavesFolder && qemu.partials.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: qemu.file("report")))
  }

  @Test func interruptionOfABuild_endsWhatItStarted() throws {
    let qemu = try FakeQemu(Self.good)
    try write(Self.checks, "build: 'sleep 1000 & echo $! > built; wait'", in: qemu)
    let run = try validate(qemu) { command in
      for _ in 0..<500
      where (try? qemu.text("built"))?.hasSuffix("\n") != true { usleep(20_000) }
      kill(command.processIdentifier, SIGINT)
    }
    #expect(run.status == 130)
    let process = try qemu.text("built").trimmingCharacters(in: .newlines)
    for _ in 0..<100 where isAlive(process) { usleep(20_000) }
    #expect(!isAlive(process))
  }

  private func isAlive(_ process: String) -> Bool {
    let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return state.map { !$0.contains(") Z ") } ?? false
  }

  /// Temporary files, artefacts and the report find no room: the verdict stays right where there is one.
  @Test func aFullDisk_changesNoVerdict() throws {
    let qemu = try FakeQemu("echo one; say info: shutdown: domain=0 reason=poweroff")
    let full = qemu.file("full")
    try FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: false)
    let mounted = try shell("mount -t tmpfs -o size=16k none '\(full)'")
    guard mounted == 0 else { try Test.cancel("no right to make a small file system here") }
    defer { _ = try? shell("umount '\(full)'") }
    _ = try shell("head -c 100000 /dev/zero > '\(full)/filling' 2>/dev/null")
    try write(in: qemu)
    let run = try validate(qemu, ["--artefacts", full, "--format", "json"])
    #expect(run.status == 1, "the console lacks a line")
    #expect(try statuses(run)["console"] == "failed")
    #expect(run.errors.contains("expected a folder that can be written"), "\(run.errors)")
    let report = try validate(qemu, ["--output", full + "/report"])
    #expect(report.status == 2 && report.errors.contains("No space left"), "\(report.errors)")
    // Without room for what QEMU loads nothing can be told of the port.
    let boot = try Command.run(
      ["validate", "--rootstock", qemu.kernel, "--format", "json", qemu.file("PORT.yaml")],
      search: qemu.search, temporary: full)
    #expect(boot.status == 3, "\(boot.text)\(boot.errors)")
    #expect(try Set(statuses(boot).values) == ["skipped"])
  }

  private func shell(_ command: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test func schema_isPrintedAlone() throws {
    let run = try Command.run("validate --schema")
    #expect(run.status == 0 && run.errors.isEmpty)
    let schema = try JSONSerialization.jsonObject(with: run.output) as? [String: Any]
    #expect(schema?["required"] as? [String] == ["kernel", "checks"])
    #expect(try Command.run("validate").status == 2)
    #expect(try Command.run("validate --jobs 0 PORT.yaml").status == 2)
  }
}
