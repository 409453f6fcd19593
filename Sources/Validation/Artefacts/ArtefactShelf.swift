// What a failure leaves for a person: the console, the hypervisor's log, the record of traps, the crash
// with source lines, the build's output, and a page that says in a few lines what broke.

import Foundation
import Harness

/// The folder of one port's artefacts.
struct ArtefactShelf {
  /// The page to read first; also the mark by which a folder is known as one of these.
  static let summary = "summary.txt"
  /// The folder's name beside a PORT.yaml.
  static let usualName = ".xenograft"

  let port: Port
  /// Named by the user.
  let folder: String?

  var path: String { (folder.map { $0 + "/" } ?? port.folder + Self.usualName + "/") + port.name }

  /// Takes away what an earlier run has left; a folder with other contents stays.
  func clear() {
    guard FileManager.default.fileExists(atPath: path + "/" + Self.summary) else { return }
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Keeps what belongs to failures, and says in `report` where.
  ///
  /// A disk without room changes no verdict.
  func keep(_ report: inout PortReport, runs: [BootRun], build: BuildOutcome?) {
    guard report.count(.failed) > 0 else { return }
    let failed = Set(report.checks.filter { $0.status == .failed }.map(\.name))
    var files: [(name: String, bytes: [UInt8])] = []
    if let build, build.outcome.status == .failed { files.append(("build.log", build.output)) }
    for run in runs {
      let isOwn = run.name == JobPlan.own
      guard isOwn || failed.contains(run.name) || failed.contains(Self.check(of: run)) else {
        continue
      }
      let prefix = isOwn ? "" : Self.fileName(run.name) + "/"
      files += Self.files(of: run).map { (prefix + $0.name, $0.bytes) }
    }
    let text = SummaryText(report: report, files: files.map(\.name)).text
    files.append((Self.summary, Array(text.utf8)))
    do {
      for (name, bytes) in files { try Self.write(bytes, to: path + "/" + name) }
      report.artefacts = path
    } catch {
      report.remarks.append(
        "\(path): expected a folder that can be written, found: \(error.localizedDescription)")
    }
  }

  /// A boot with a single fault is called as its check and its fault.
  private static func check(of run: BootRun) -> String {
    run.name.firstRange(of: ": ").map { String(run.name[..<$0.lowerBound]) } ?? run.name
  }

  private static func fileName(_ name: String) -> String {
    String(name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." ? $0 : "-" })
  }

  private static func files(of run: BootRun) -> [(name: String, bytes: [UInt8])] {
    guard let boot = run.boot else { return [] }
    var files = [
      ("console.txt", run.seen.console.bytes), ("hypervisor.log", run.seen.log.bytes),
      ("boot.json", boot.json()),
    ]
    if !boot.traps.isEmpty { files.append(("traps.json", boot.trace())) }
    if !boot.vcpus.isEmpty {
      let lines = boot.vcpus.flatMap(\.lines)
      files.append(("hang.txt", Array((lines.joined(separator: "\n") + "\n").utf8)))
    }
    if let crash = boot.crash {
      let lines = crash.lines + run.consolePlaces.map { "  on its console: \($0)" }
      files.append(("crash.txt", Array((lines.joined(separator: "\n") + "\n").utf8)))
    }
    return files
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    let url = URL(filePath: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url, options: .atomic)
  }
}
