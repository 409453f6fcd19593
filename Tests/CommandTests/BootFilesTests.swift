// What `xenograft boot` hands to QEMU, and the files that it writes.

import Foundation
import Testing

@Suite struct BootFilesTests {
  static let off = "say info: shutdown: domain=0 reason=poweroff"

  @Test func oneGuest_isHandedOverAsItIs() throws {
    let qemu = try FakeQemu(Self.off)
    #expect(try qemu.boot(["--memory", "32", "--cmdline", "quiet loglevel=7"]).status == 0)
    #expect(try qemu.argument("-initrd") == "guest")
    #expect(try qemu.argument("-smp") == "1")
    #expect(
      try qemu.argument("-append")
        == "where=57000 dom0_mem=32 policy=permissive domain=kernel:0,memory:32 -- quiet loglevel=7"
    )
  }

  @Test func options_reachTheMachine() throws {
    let qemu = try FakeQemu(Self.off)
    let options = ["--policy", "strict", "--icount", "--gdb", "1234", "--vcpus", "4"]
    #expect(try qemu.boot(options).status == 0)
    #expect(
      try qemu.argument("-append")?.contains("policy=strict domain=kernel:0,memory:128,vcpus:4")
        == true)
    #expect(try qemu.argument("-icount") == "shift=0")
    #expect(try qemu.argument("-gdb") == "tcp:127.0.0.1:1234")
    #expect(try qemu.arguments.contains("-S"))
    #expect(try qemu.argument("-smp") == "2")
    #expect(try qemu.boot(["--vcpus", "4", "--cpus", "3"]).status == 0)
    #expect(try qemu.argument("-smp") == "3")
  }

  @Test func severalFiles_comeInOneArchive_eachOnce() throws {
    let qemu = try FakeQemu(Self.off)
    let ramdisk = try qemu.scratch.file("ramdisk", Array("ramdisk".utf8))
    let kernel = try #require(sampleKernel)
    let run = try qemu.boot([
      "--initrd", ramdisk, "--weight", "512",
      "--beside", "\(kernel),memory=16,vcpus=2,weight=128,count=3,initrd=\(ramdisk)",
    ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try qemu.argument("-initrd") == "modules")
    #expect(
      try qemu.argument("-append")?.contains(
        "domain=kernel:0,ramdisk:1,memory:128,weight:512 "
          + "domain=kernel:0,ramdisk:1,memory:16,vcpus:2,weight:128,count:3 -- ") == true)
    let archive = try Data(contentsOf: URL(filePath: qemu.file("modules")))
    let kernelBytes = try Data(contentsOf: URL(filePath: kernel))
    #expect(archive.starts(with: Data("070701".utf8)))
    #expect(archive.range(of: kernelBytes) != nil && archive.range(of: Data("ramdisk".utf8)) != nil)
    #expect(archive.count < kernelBytes.count + 1000)
  }

  @Test func trace_isReadByTheAudit() throws {
    let kernel = try #require(sampleKernel)
    let audit = try Command.run(["audit", "--format", "json", kernel])
    let before = try findings(audit)
    let wanted = before.filter { ["replace", "silent"].contains($0["disposition"] as? String) }
    let address = try #require(before.first?["address"] as? String)
    let other = try #require(wanted.last?["address"] as? String)
    #expect(other != address)
    // What QEMU logs of the code that it translates tells what ran without being emulated.
    let qemu = try FakeQemu(
      """
      printf '%s:  90   nop\\n' \(other) >translated
      say info: shutdown: domain=0 reason=poweroff
      say info: trap: rip=\(address) rule=anything count=12
      """)
    #expect(try qemu.boot(["--trace", qemu.file("trace")]).status == 0)
    let merged = try findings(
      Command.run(["audit", "--format", "json", "--trace", qemu.file("trace"), kernel]))
    #expect(merged.first?["executed"] as? Int == 12)
    #expect(merged.first?["profile"] as? String == "emulated")
    let ran = try #require(merged.first { $0["address"] as? String == other })
    #expect(ran["executed"] as? Int == 1)
    #expect(["faulted", "silent"].contains(ran["profile"] as? String))
    let rest = merged.filter { finding in
      ![address, other].contains(finding["address"] as? String)
        && wanted.contains { $0["address"] as? String == finding["address"] as? String }
    }
    #expect(!rest.isEmpty && rest.allSatisfy { $0["profile"] as? String == "never" })
    #expect(try qemu.argument("-d") == "in_asm")
  }

  private func findings(_ run: Run) throws -> [[String: Any]] {
    let report = try #require(
      try JSONSerialization.jsonObject(with: run.output) as? [String: Any], "\(run.errors)")
    let images = try #require(report["images"] as? [[String: Any]])
    return try #require(images.first?["findings"] as? [[String: Any]])
  }

  @Test func events_areOneDocumentOnEachLine() throws {
    let qemu = try FakeQemu("say info: hello; echo one; echo two; \(Self.off)")
    #expect(try qemu.boot(["--events", qemu.file("events"), "--expect", "on"]).status == 0)
    let events = try qemu.text("events").split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    // The guest's bytes may come in one piece, so that both lines stand before what they met.
    let names = events.compactMap { $0["event"] as? String }
    #expect(names.first == "hypervisor" && names.suffix(2) == ["domain-ended", "ended"])
    #expect(
      names.sorted() == [
        "domain-ended", "ended", "expected", "guest", "guest", "hypervisor", "hypervisor",
      ])
    #expect(events.last?["verdict"] as? String == "poweroff")
    #expect(events.first { $0["event"] as? String == "expected" }?["line"] as? String == "one")
    #expect(events.allSatisfy { $0["seconds"] is Double })
  }

  @Test func fileThatCannotBeWritten_endsWith2_beforeAnythingRuns() throws {
    let qemu = try FakeQemu(Self.off)
    let run = try qemu.boot(["--log", qemu.file("log"), "--events", "/nonexistent/events"])
    #expect(run.status == 2 && run.errors.contains("/nonexistent/events"))
    #expect(!FileManager.default.fileExists(atPath: qemu.file("process")))
    #expect(qemu.partials.isEmpty)
  }
}
