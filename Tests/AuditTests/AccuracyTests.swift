// The scan held to objdump's linear sweep on real images, executable section by section, address by
// address and rule by rule. Each difference stands in Fixtures/objdump-differences.tsv with its
// reason; one that does not, fails the test and is printed in the table's form.

import Foundation
import KernelImage
import Testing

@testable import Audit

/// The images that `.ci/images` unpacks.
private enum TestImages {
  static let folder = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_IMAGES"]

  static let all: [String] = {
    guard let folder else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted()
  }()
}

/// A row of the table of differences.
private struct Difference: Hashable {
  /// Four bytes before the address and six from it on, in hexadecimal: what identifies the place in any build.
  var around: String
  var objdump: String
  var xenograft: String

  static let known: [Difference: String] = {
    let path = checkout.appending(path: "Tests/AuditTests/Fixtures/objdump-differences.tsv")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    var rows: [Difference: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.components(separatedBy: "\t")
      guard fields.count == 5, !fields[4].isEmpty else { continue }
      rows[Difference(around: fields[1], objdump: fields[2], xenograft: fields[3])] = fields[4]
    }
    return rows
  }()
}

@Suite(
  .enabled(
    if: ObjdumpCensus.isAvailable && !TestImages.all.isEmpty,
    "needs objdump and XENOGRAFT_TEST_IMAGES, a folder of images (.ci/images makes it)"))
struct AccuracyTests {
  @Test(arguments: TestImages.all)
  func scan_ofRealImage_equalsObjdumpsSweep(name: String) throws {
    let path = try #require(TestImages.folder) + "/" + name
    let image = try KernelImage.open(path: path)
    var options = AuditOptions()
    options.jobs = 2
    options.readsSource = false
    let auditor = ImageAuditor(matcher: try RuleMatcher(RuleBook.builtin.rules), options: options)
    let result = try auditor.audit(path: path)
    var compared = 0
    var differences = 0
    for section in image.sections where section.isExecutable && section.bytes.count > 0 {
      let theirs = try ObjdumpCensus.run(
        Data(section.bytes.buffer), address: section.address, width: image.width)
      let ours = result.findings.filter {
        $0.sectionIndex == section.index && $0.rule != "int3" && !$0.context.contains(.data)
          && !$0.context.contains(.overlap)
      }
      let byAddress = Dictionary(ours.map { ($0.address, $0) }) { first, _ in first }
      compared += Set(theirs.keys).union(byAddress.keys).count
      for address in Set(theirs.keys).union(byAddress.keys).sorted() {
        // 16-bit code has a rule of its own for what objdump knows as `int` alone.
        let rule = byAddress[address].map { $0.rule == "int-firmware" ? "int-n" : $0.rule }
        if let rule, rule == theirs[address]?.rule { continue }
        differences += 1
        let difference = Difference(
          around: around(address, in: section), objdump: theirs[address]?.text ?? "-",
          xenograft: byAddress[address]?.instruction ?? "-")
        #expect(
          Difference.known[difference] != nil,
          "\(name)\t\(difference.around)\t\(difference.objdump)\t\(difference.xenograft)\t\(section.name) \(String(address, radix: 16))"
        )
      }
    }
    print(
      "accuracy: \(name): \(compared) places compared, \(differences) in the table of differences")
    #expect(compared > 0, "an image without a single finding proves nothing")
  }

  private func around(_ address: UInt64, in section: ImageSection) -> String {
    let offset = Int(address - section.address)
    let range = max(0, offset - 4)..<min(section.bytes.count, offset + 6)
    return section.bytes.buffer[range].map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }
}
