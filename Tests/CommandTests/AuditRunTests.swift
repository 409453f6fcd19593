// The audit of the sample kernel, end to end: findings, determinism, baselines and the gate.

import Foundation
import Testing

@Suite(.enabled(if: sampleKernel != nil, "needs make, clang and ld.lld of the Swift toolchain"))
struct AuditRunTests {
  private let kernel = sampleKernel ?? ""

  private func findings(_ options: [String] = []) throws -> [[String: Any]] {
    let run = try Command.run(["audit", "--format", "json"] + options + [kernel])
    let document = try #require(
      try JSONSerialization.jsonObject(with: run.output) as? [String: Any])
    #expect(document["schema"] as? String == "xenograft.audit/1")
    let image = try #require((document["images"] as? [[String: Any]])?.first)
    return try #require(image["findings"] as? [[String: Any]])
  }

  @Test func sampleKernel_showsEachKindOfAssumption_withItsSource() throws {
    let findings = try findings()
    let rules = Set(findings.compactMap { $0["rule"] as? String })
    let expected: Set = [
      "lgdt", "lidt", "mov-to-cr3", "mov-from-cr3", "wrmsr", "rdmsr", "cli", "sti", "hlt", "pushf",
      "popf", "in", "out", "invlpg", "cpuid", "mov-from-cs-ss", "iret", "swapgs", "sysret", "rdtsc",
      "far-return",
    ]
    #expect(expected.subtracting(rules).isEmpty)
    let load = try #require(findings.first { $0["rule"] as? String == "mov-to-cr3" })
    #expect(load["function"] as? String == "kernel_main")
    let inlined = try #require((load["inlined"] as? [[String: Any]])?.first)
    #expect(inlined["function"] as? String == "switch_page_table")
    #expect((inlined["file"] as? String)?.hasSuffix("main.c") == true)
    #expect(load["disposition"] as? String == "emulated")
    #expect(load["replacement"] as? String == "HYPERVISOR_mmuext_op(MMUEXT_NEW_BASEPTR)")
    let popf = try #require(findings.first { $0["rule"] as? String == "popf" })
    #expect(popf["disposition"] as? String == "silent")
  }

  @Test(arguments: ["text", "json", "sarif", "markdown", "html", "csv", "github"])
  func output_isTheSameOnEveryRun_andForEveryNumberOfJobs(format: String) throws {
    let first = try Command.run(["audit", "--format", format, "--jobs", "1", kernel])
    #expect(first.status == 0 && !first.output.isEmpty)
    for run in 0..<10 {
      let jobs = run % 2 == 0 ? "2" : "1"
      let next = try Command.run(["audit", "--format", format, "--jobs", jobs, kernel])
      #expect(next.output == first.output)
    }
  }

  @Test func gate_failsOnWhatItNames() throws {
    for (level, status) in [("never", 0), ("silent", 1), ("replace", 1), ("any", 1)] {
      let run = try Command.run(["audit", "--summary", "--fail-on", level, kernel])
      #expect(run.status == Int32(status), "\(level)")
    }
  }

  @Test func baseline_knowsItsOwnFindings_andFailsOnNewOnes() throws {
    let scratch = try Scratch()
    let baseline = scratch.url.appending(path: "baseline.json").path
    #expect(
      try Command.run(["audit", "--summary", "--write-baseline", baseline, kernel]).status == 0)
    let same = ["audit", "--summary", "--baseline", baseline, "--fail-on", "new", kernel]
    #expect(try Command.run(same).status == 0)
    // A baseline that lost one finding: that one is new.
    var text = try String(contentsOfFile: baseline, encoding: .utf8)
    let range = try #require(text.firstRange(of: /"fingerprint": ?"[0-9a-f]{4}/))
    text.replaceSubrange(range, with: "\"fingerprint\":\"ffff")
    try text.write(toFile: baseline, atomically: true, encoding: .utf8)
    #expect(try Command.run(same).status == 1)
  }

  @Test func suppression_takesFindingsOutOfTheGate() throws {
    let scratch = try Scratch()
    let file = try scratch.file(
      "suppress.yaml",
      Array("suppressions:\n  - { rule: \"*\", reason: everything is accepted here }\n".utf8))
    let run = try Command.run([
      "audit", "--summary", "--suppress", file, "--fail-on", "any", kernel,
    ])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func hiddenEncodings_areListedOnlyWhenAskedFor() throws {
    let scratch = try Scratch()
    // mov eax, imm32 whose immediate holds `cli; cpuid`.
    let file = try scratch.file("hidden.bin", [0xB8, 0xFA, 0x0F, 0xA2, 0x90, 0xC3])
    let plain = try Command.run(["audit", "--raw", "64", "--format", "csv", file])
    #expect(!plain.text.contains("cpuid"))
    let hidden = try Command.run(["audit", "--raw", "64", "--format", "csv", "--hidden", file])
    #expect(hidden.text.contains("cli") && hidden.text.contains("cpuid"))
    #expect(hidden.text.contains("hidden"))
  }

  @Test func severalImages_shareTheFirstOnesTarget() throws {
    let scratch = try Scratch()
    let file = try scratch.file("boot.bin", [0xFA, 0xF4])
    let run = try Command.run(["audit", "--raw", "16", "--format", "json", file, file])
    #expect(run.text.contains(/"target": ?"pv32"/))
    #expect(run.text.ranges(of: /"path"/).count == 2)
  }

  @Test func image_cutShort_isRefusedAtEveryLength() throws {
    let whole = try Data(contentsOf: URL(filePath: kernel))
    let scratch = try Scratch()
    for length in [0, 1, 4, 16, 51, 63, 64, 100, 500, whole.count / 2] {
      let file = try scratch.file("cut.elf", Array(whole.prefix(length)))
      let run = try Command.run(["audit", file])
      #expect(run.status == 2, "\(length) bytes: \(run.errors)")
      #expect(run.errors.contains("expected") && run.errors.contains("found"), "\(run.errors)")
    }
  }
}
