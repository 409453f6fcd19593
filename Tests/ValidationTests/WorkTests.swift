// Builds, disks, and questions over the network.

import ABISchema
import Foundation
import Harness
import Testing

@testable import Validation

@Suite struct WorkTests {
  private func build(_ command: String, timeout: Double = 30) async -> BuildOutcome {
    var build = BuildCommand(
      command: command, position: SourcePosition(file: "PORT.yaml", line: 1, column: 1))
    build.timeout = timeout
    return await BuildStep(command: build, folder: "/").run()
  }

  @Test func build_isJudgedByItsExitCode() async {
    let good = await build("echo made in $PWD")
    #expect(good.outcome.status == .passed)
    #expect(String(decoding: good.output, as: UTF8.self) == "made in /\n")
    let bad = await build("echo no such file >&2; exit 3")
    #expect(bad.outcome.status == .failed && bad.outcome.message.contains("found 3"))
    #expect(bad.outcome.details == ["no such file"])
    let killed = await build("kill -9 $$")
    #expect(killed.outcome.message.contains("signal 9"))
  }

  @Test(arguments: ["sleep 1000", "sleep 1000 & wait", "trap '' TERM; while :; do sleep 0.1; done"])
  func buildThatHangs_isEndedWithAllThatItStarted(command: String) async {
    let outcome = await build(command, timeout: 0.5).outcome
    #expect(outcome.status == .failed && outcome.message.contains("still running after 0.5 s"))
  }

  @Test func whatABuildLeavesRunning_goesWithIt() async throws {
    let scratch = try Scratch()
    let file = scratch.url.appending(path: "pid").path
    let outcome = await build("sleep 100 & echo $! > '\(file)'").outcome
    #expect(outcome.status == .passed)
    let process = try #require(
      Int32(
        String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)))
    for _ in 0..<100 where kill(process, 0) == 0 && !isZombie(process) { usleep(20_000) }
    #expect(kill(process, 0) != 0 || isZombie(process))
  }

  private func isZombie(_ process: Int32) -> Bool {
    let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return text?.contains(") Z ") ?? true
  }

  @Test func endlessBuildOutput_isEndedAndCut() async {
    let outcome = await build("yes")
    #expect(outcome.outcome.message.contains("printed more than"))
    #expect(outcome.output.count < 2 << 20)
  }

  @Test func disks_areComparedByteByByte() throws {
    let scratch = try Scratch()
    var bytes = [UInt8](repeating: 0, count: 3 << 20)
    let disk = try scratch.file("disk", bytes)
    #expect(DiskComparison.difference(of: disk, from: .zeros(3)) == nil)
    #expect(DiskComparison.difference(of: disk, from: .zeros(4))?.contains("in place of") == true)
    bytes[1_500_000] = 7
    let other = try scratch.file("other", bytes)
    let words = DiskComparison.difference(of: disk, from: .file(other))
    #expect(words?.contains("byte at 1500000 (sector 2929): 0x07 expected, 0x00 found") == true)
    #expect(DiskComparison.difference(of: disk, from: .file("/nowhere")) != nil)
  }

  @Test func diskCopies_leaveTheOriginalAlone_andGoAway() throws {
    let scratch = try Scratch()
    let place = SourcePosition(file: "PORT.yaml", line: 1, column: 1)
    let path = try scratch.file("disk", [1, 2, 3])
    let file = PortPath(text: "disk", path: path, position: place)
    var folder = ""
    do {
      let copies = try DiskCopies([
        PortDisk(name: "xvda", contents: .file(file)), PortDisk(name: "xvdc", contents: .zeros(1)),
      ])
      folder = copies.path(of: "")
      #expect(copies.disks.map(\.name) == ["xvda", "xvdc"])
      try Data([9]).write(to: URL(filePath: copies.path(of: "xvda")))
      #expect(try Data(contentsOf: URL(filePath: copies.path(of: "xvdc"))).count == 1 << 20)
    }
    #expect(try Array(Data(contentsOf: URL(filePath: path))) == [1, 2, 3])
    #expect(!FileManager.default.fileExists(atPath: folder))
    var missing = file
    missing.path = "/nowhere"
    #expect(throws: PreparationError.self) {
      _ = try DiskCopies([PortDisk(name: "xvda", contents: .file(missing))])
    }
  }

  @Test func diskCopies_tellWhenTheyCannotGrow() throws {
    let disk = PortDisk(name: "xvda", contents: .zeros(1))
    let copies = try DiskCopies([disk])
    #expect(copies.shortage(free: 0)?.contains("is full") == true)
    #expect(copies.shortage(free: 1 << 20) == nil)
    #expect(try DiskCopies([]).shortage(free: 0) == nil)
  }

  @Test func freePorts_areNeverTheSame() {
    let ports = (0..<20).compactMap { _ in FreePorts.take() }
    #expect(ports.count == 20 && Set(ports).count == 20)
  }
}
