// inspect against Xen's own verdicts: recorded ones on every run, fresh ones where a hypervisor is
// named by XENOGRAFT_COMPARE_XEN (an unpacked stock Xen) and QEMU is there.

import ABISchema
import Foundation
import ImageInspection
import KernelImage
import Testing

@Suite struct XenComparisonTests {
  static let hypervisor = ProcessInfo.processInfo.environment["XENOGRAFT_COMPARE_XEN"]
  static let renews = ProcessInfo.processInfo.environment["XENOGRAFT_RENEW_VERDICTS"] == "1"
  /// Only the images whose names contain this.
  static let only = ProcessInfo.processInfo.environment["XENOGRAFT_VERDICTS_ONLY"]

  @Test(.enabled(if: GuestCode.isAvailable, "clang is not on the PATH"))
  func inspect_madeImages_agreesWithRecordedVerdicts() throws {
    try compareRecorded(try Subject.made(), isExact: true)
  }

  @Test(
    .enabled(if: Subject.packages != nil, "XENOGRAFT_TEST_BOOT_IMAGES names no folder of images"))
  func inspect_packagedImages_agreesWithRecordedVerdicts() throws {
    try compareRecorded(try Subject.packaged(), isExact: false)
  }

  @Test(
    .enabled(if: hypervisor != nil, "XENOGRAFT_COMPARE_XEN names no hypervisor image"),
    .enabled(if: GuestCode.isAvailable, "clang is not on the PATH"), .timeLimit(.minutes(30)))
  func inspect_allImages_agreesWithXen() throws {
    let run = XenRun(hypervisor: try #require(Self.hypervisor))
    let folder = FileManager.default.temporaryDirectory.appending(path: "inspect-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let comparison = try Comparison()
    var record = try VerdictRecord.read()
    var compared = 0
    for subject in try Subject.made() + Subject.packaged() {
      if let only = Self.only, !subject.name.contains(only) { continue }
      let path = folder.appending(path: "guest").path
      try Data(subject.bytes).write(to: URL(filePath: path))
      let verdict = try run.verdict(
        on: path, arguments: subject.arguments, memory: subject.memory, expecting: subject.line)
      compared += 1
      comparison.expectAgreement(subject, verdict)
      if Self.renews {
        record.lines[subject.name] = VerdictRecord.Line(digest: subject.digest, verdict: verdict)
      } else if let line = record.lines[subject.name], line.digest == subject.digest {
        #expect(verdict.outcome == line.verdict.outcome, "\(subject.name): the record is old")
      }
    }
    if Self.renews {
      if Self.only == nil {
        let names = Set(try (Subject.made() + Subject.packaged()).map(\.name))
        record.lines = record.lines.filter { names.contains($0.key) }
      }
      try record.write()
    }
    print("inspect: compared with Xen on \(compared) images")
  }

  private func compareRecorded(_ subjects: [Subject], isExact: Bool) throws {
    let record = try VerdictRecord.read()
    let comparison = try Comparison()
    var compared = 0
    for subject in subjects {
      guard let line = record.lines[subject.name], line.digest == subject.digest else {
        // Packages are renewed; an image that the test makes has a record or is a mistake.
        if isExact {
          Issue.record("\(subject.name) has no verdict of Xen's; see VerdictRecord.swift")
        }
        continue
      }
      comparison.expectAgreement(subject, line.verdict)
      compared += 1
    }
    if isExact { #expect(compared >= 40) }
    print("inspect: compared with Xen's recorded verdicts on \(compared) images")
  }
}
