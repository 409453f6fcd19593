// The JSON report against the contract, read back by an independent parser (Foundation's).

import Audit
import Foundation
import Testing

@testable import AuditReport

@Suite struct JSONReportTests {
  @Test func snapshot_smallAudit_matchesRecord() throws {
    try expectSnapshot(render(Fixture.small, format: .json), "small.json")
  }

  @Test func readBack_hostileNames_surviveUnchanged() throws {
    let bytes = render(Fixture.small, format: .json)
    let document = try JSONDecoder().decode(Document.self, from: Data(bytes))
    #expect(document.schema == "xenograft.audit/1")
    #expect(document.target == "pv64")
    let image = try #require(document.images.first)
    #expect(image.scanned.seconds == nil)
    let original = Fixture.small.images[0].findings
    #expect(image.findings.map(\.function) == original.map(\.function))
    #expect(image.findings.map(\.file) == original.map(\.file))
    #expect(image.findings.map(\.executed) == original.map(\.executed))
    #expect(image.findings.first?.address == "0xffffffff8104f2a0")
    #expect(image.summary.byClass.keys.sorted() == RuleClass.allCases.map(\.rawValue).sorted())
    #expect(image.summary.byDisposition["unreachable"] == 1)
  }

  @Test func scriptElement_isNeverClosedByAName() {
    let text = String(decoding: render(Fixture.small, format: .json), as: UTF8.self)
    #expect(!text.contains("<"))
    #expect(!text.unicodeScalars.contains("\u{2028}"))
  }

  @Test func seconds_whereAsked_haveThreeDigits() {
    var writer = JSONWriter()
    writer.array {
      $0.milliseconds(ofSeconds: 1.2346)
      $0.milliseconds(ofSeconds: 0.05)
      $0.milliseconds(ofSeconds: .infinity)
      $0.milliseconds(ofSeconds: -1)
      $0.milliseconds(ofSeconds: 1e300)
    }
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "[1.235,0.050,null,null,null]")
  }

  private struct Document: Decodable {
    struct Image: Decodable {
      struct Scanned: Decodable { var seconds: Double? }
      struct Counts: Decodable {
        var byClass: [String: Int]
        var byDisposition: [String: Int]
      }
      struct Item: Decodable {
        var address: String
        var function: String?
        var file: String?
        var executed: Int?
      }
      var scanned: Scanned
      var summary: Counts
      var findings: [Item]
    }
    var schema: String
    var target: String
    var images: [Image]
  }
}
