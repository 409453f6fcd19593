// What a diagnosis looks like. `XENOGRAFT_RENEW_SNAPSHOTS=1` writes the records anew.

import Foundation
import Testing

@testable import Doctor

struct DiagnosisTests {
  /// A machine as Debian installs it, with this kit and a compiler.
  private static var usual: FakeMachine {
    var machine = FakeMachine()
    for name in ["qemu-system-x86_64", "ld.lld", "swiftc", "gdb"] { machine.programs[name] = nil }
    machine.files = machine.files.filter { !$0.contains("xen-") && $0 != "/dev/kvm" }
    machine.packages.subtract(["qemu-system-x86", "libdw-dev", "libcapstone-dev", "xorriso"])
    return machine
  }

  @Test(arguments: [("full.txt", FakeMachine()), ("usual.txt", usual)])
  func text_isAsRecorded(name: String, machine: FakeMachine) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots/\(name)")
    let text = machine.diagnosis.text
    if ProcessInfo.processInfo.environment["XENOGRAFT_RENEW_SNAPSHOTS"] == "1" {
      try Data(text.utf8).write(to: file, options: .atomic)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func json_hasEverythingThatTheTextHas() throws {
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(Self.usual.diagnosis.json)) as? [String: Any])
    #expect(object["schema"] as? String == "xenograft.doctor/1")
    #expect(object["ready"] as? Bool == false)
    let commands = try #require(object["commands"] as? [[String: Any]])
    #expect(commands.count == Activity.all.count)
    let boot = try #require(commands.first { $0["name"] as? String == "boot" })
    #expect(boot["lacks"] as? [String] == ["QEMU"] && boot["main"] as? Bool == true)
    let install = try #require(object["install"] as? [String])
    #expect(install.contains("qemu-system-x86") && Set(install).count == install.count)
    let kvm = try #require(object["kvm"] as? [String: Any])
    #expect(kvm["usable"] as? Bool == false)
  }
}

struct PackageListTests {
  private static let checkout = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: Goal.allCases)
  func setupScript_readsTheSameList(goal: Goal) throws {
    let process = Process()
    process.executableURL = Self.checkout.appending(path: ".ci/setup")
    process.arguments = [goal.rawValue, "--list"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let names = text.split(separator: "\n").map(String.init)
    #expect(names == PackageList.builtin.names(for: goal))
    #expect(!names.isEmpty && Set(names).count == names.count)
  }

  /// A target that the Makefile has.
  @Test(arguments: Goal.allCases.dropFirst())
  func goal_isATargetOfTheMakefile(goal: Goal) throws {
    let makefile = try String(
      contentsOf: Self.checkout.appending(path: "Makefile"), encoding: .utf8)
    #expect(makefile.contains("\n\(goal.rawValue):"))
  }
}
