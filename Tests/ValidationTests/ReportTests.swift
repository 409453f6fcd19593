// The reports: snapshots of each format, and what the formats themselves ask for.

import ABISchema
import Foundation
import Testing

@testable import Validation

@Suite struct ReportTests {
  private func check(
    _ name: String, _ status: CheckStatus, _ message: String, _ line: Int,
    kind: String? = nil, details: [String] = [], places: [CheckPlace] = []
  ) -> CheckReport {
    CheckReport(
      name: name, kind: kind ?? name,
      position: SourcePosition(file: "ports/PORT.yaml", line: line, column: 5), status: status,
      message: message, details: details, places: places, seconds: 1.25)
  }

  /// Two ports with everything that a report can have, and texts that no format likes.
  private func report(isStrict: Bool = false) -> ValidationReport {
    var first = PortReport(
      file: "ports/PORT.yaml", name: "mykernel", kernel: "build/kernel", hypervisor: "rootstock")
    first.began = 1_700_000_000
    first.seconds = 4.5
    first.artefacts = "ports/.xenograft/mykernel"
    first.checks = [
      check("build", .passed, "`make -s`", 3),
      check("boots", .passed, "first output after 0.42 s", 5),
      check(
        "self-test", .failed, "expected a line with `a<b> & \"c\" # d` behind line 12, found none",
        6,
        kind: "console", details: ["its last lines:", "  \u{1B}[31mred\u{1B}[0m ]]> 100 %", ""]),
      check(
        "strict", .failed,
        "expected no privileged instruction, found 1 place; most often cpuid, 3 times at 0x1000 probe",
        9, details: ["cpuid, 3 times at 0x1000 probe (src/cpu.c:7)"],
        places: [CheckPlace(address: 0x1000, function: "probe", file: "src/cpu.c", line: 7)]),
      check("hypervisor", .skipped, "a Xen image in /boot is missing (Debian package: x)", 10),
    ]
    first.remarks = ["a note, with a comma: and a colon"]
    var second = PortReport(
      file: "other/PORT.yaml", name: "other", kernel: "gone", hypervisor: "xen")
    second.checks = [check("boots", .skipped, "expected a kernel at other/gone, found no file", 2)]
    second.faults = [
      Diagnostic(
        at: SourcePosition(file: "other/PORT.yaml", line: 1, column: 9),
        "expected a kernel at other/gone, found no file", hint: "build it before")
    ]
    return ValidationReport(ports: [first, second], isStrict: isStrict, seconds: 5)
  }

  @Test(arguments: ValidationFormat.allCases) func format_matchesRecord(format: ValidationFormat)
    throws
  {
    try expectSnapshot(report().render(format), "report.\(format.rawValue)")
  }

  @Test func exitCodes_haveAnOrder() {
    var report = report()
    #expect(report.exitCode == 2, "input that cannot be used")
    report.ports.removeLast()
    #expect(report.exitCode == 1 && !report.isGood)
    report.ports[0].checks.removeAll { $0.status == .failed }
    #expect(report.exitCode == 0)
    report.isStrict = true
    #expect(report.exitCode == 1, "--strict-skips")
    report.isStrict = false
    report.ports[0].missing = "QEMU"
    #expect(report.exitCode == 3)
  }

  @Test func sourcePaths_beginAtTheCurrentFolder() {
    let paths = SourcePaths(folder: "ports/a/", current: "/home/x") { $0 == "ports/a/src/main.c" }
    #expect(paths.path("/home/x/src/a.c") == "src/a.c")
    #expect(paths.path("/usr/include/a.h") == "/usr/include/a.h")
    #expect(paths.path("src/main.c") == "ports/a/src/main.c")
    #expect(paths.path("src/other.c") == "src/other.c")
  }

  @Test func color_isForTerminalsAlone() {
    var view = ValidationView()
    view.usesColor = true
    #expect(report().render(.text, view).contains(0x1B))
    #expect(!report().render(.text).contains(0x1B))
  }

  @Test func junit_isValid() throws {
    if !FileManager.default.isExecutableFile(atPath: "/usr/bin/xmllint") {
      try Test.cancel("xmllint is missing here (Debian package: libxml2-utils)")
    }
    let schema = Self.checkout.deletingLastPathComponent()
      .appending(path: "shared/schemas/JUnit.xsd").path
    let hasSchema = FileManager.default.fileExists(atPath: schema)
    for isStrict in [false, true] {
      let text = report(isStrict: isStrict).render(.junit)
      let file = try Scratch()
      let path = try file.file("junit.xml", text)
      #expect(try xmllint(["--noout", path]) == "")
      guard hasSchema else { continue }
      #expect(try xmllint(["--noout", "--schema", schema, path]) == "\(path) validates\n")
    }
    if !hasSchema { try Test.cancel("no JUnit.xsd beside the project") }
  }

  /// What xmllint says.
  private func xmllint(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/xmllint")
    process.arguments = arguments
    let output = Pipe()
    process.standardError = output
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  @Test func tap_plansAreKept_andDirectivesAreOurs() throws {
    let lines = String(decoding: report().render(.tap), as: UTF8.self).split(separator: "\n")
    #expect(lines[0] == "TAP version 14" && lines[1] == "1..2")
    let points = lines.filter { $0.hasPrefix("    ok ") || $0.hasPrefix("    not ok ") }
    #expect(points.count == 6)
    #expect(lines.count { $0.hasPrefix("ok ") || $0.hasPrefix("not ok ") } == 2)
    for line in points where line.contains(" # ") { #expect(line.contains(" # SKIP ")) }
  }

  @Test func github_hasOneLineForEach() {
    let text = String(decoding: report().render(.github), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.hasPrefix("::") })
    #expect(lines.contains { $0.hasPrefix("::error file=src/cpu.c,line=7,") })
    #expect(lines.contains { $0.hasPrefix("::error file=ports/PORT.yaml,line=6,") })
    #expect(lines.contains { $0.hasPrefix("::warning file=ports/PORT.yaml,line=10,") })
  }

  @Test func summary_tellsInTenLinesWhatBroke() {
    let port = report().ports[0]
    let text = SummaryText(report: port, files: ["console.txt", "traps.json"]).text
    #expect(text.hasPrefix("mykernel on rootstock: 2 of 5 checks failed\n\nself-test: expected"))
    #expect(text.contains("\n  src/cpu.c:7\n") && text.split(separator: "\n").count <= 10)
  }

  private static let checkout = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Compares `text` with the record `name`; XENOGRAFT_RENEW_SNAPSHOTS=1 writes it anew.
  private func expectSnapshot(_ bytes: [UInt8], _ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots/\(name)")
    let text = String(decoding: bytes, as: UTF8.self)
    if ProcessInfo.processInfo.environment["XENOGRAFT_RENEW_SNAPSHOTS"] == "1" {
      try Data(bytes).write(to: file)
    }
    let record = try String(contentsOf: file, encoding: .utf8)
    #expect(text == record, "\(name): XENOGRAFT_RENEW_SNAPSHOTS=1 writes it anew")
  }
}
