// SARIF against the published schema, and what code-scanning services ask beyond it.

import Audit
import Foundation
import Testing

@testable import AuditReport

@Suite struct SARIFReportTests {
  @Test func snapshot_smallAudit_matchesRecord() throws {
    try expectSnapshot(render(Fixture.small, format: .sarif), "small.sarif")
  }

  @Test(
    .enabled(if: SARIFSchema.path != nil, "needs sarif-schema-2.1.0.json (XENOGRAFT_SCHEMAS)"),
    .enabled(if: SARIFSchema.hasValidator, "needs python3 with jsonschema"),
    arguments: [0, 300, 6000])
  func schema_smallAndLargeAudits_validate(count: Int) throws {
    let audit = count == 0 ? Fixture.small : Fixture.large(count)
    let schema = try #require(SARIFSchema.path)
    let message = try SARIFSchema.validate(render(audit, format: .sarif), schema: schema)
    #expect(message == "valid\n")
  }

  @Test(
    .enabled(if: SARIFSchema.path != nil, "needs sarif-schema-2.1.0.json (XENOGRAFT_SCHEMAS)"),
    .enabled(if: SARIFSchema.hasValidator, "needs python3 with jsonschema"))
  func validator_aBrokenLog_isRefused() throws {
    let schema = try #require(SARIFSchema.path)
    let text = String(decoding: render(Fixture.small, format: .sarif), as: UTF8.self)
    let broken = text.replacing("\"startLine\":48", with: "\"startLine\":0")
    #expect(broken != text)
    #expect(try SARIFSchema.validate(Array(broken.utf8), schema: schema) != "valid\n")
  }

  @Test func results_all_carryRegionLogicalLocationAndLevel() throws {
    let run = try decode(render(Fixture.small, format: .sarif))
    #expect(run.results.count == Fixture.small.images[0].findings.count)
    for result in run.results {
      let location = try #require(result.locations.first)
      #expect(location.physicalLocation.region.startLine > 0)
      #expect(location.logicalLocations.first?.name.isEmpty == false)
      #expect(run.tool.driver.rules[result.ruleIndex].id == result.ruleId)
    }
    #expect(run.results.map(\.level).prefix(4) == ["error", "error", "warning", "note"])
    #expect(run.results.count { $0.suppressions?.isEmpty == false } == 1)
    #expect(run.tool.driver.rules.allSatisfy { !$0.help.markdown.isEmpty })
  }

  @Test func manyFindings_areGatheredByRuleAndFunction() throws {
    let run = try decode(render(Fixture.large(6000), format: .sarif))
    #expect(run.results.count < SARIFReport.shown)
    let represented = run.results.reduce(0) { $0 + ($1.properties.findings ?? 1) }
    #expect(represented == 6000)
    let prints = Set(run.results.compactMap { $0.partialFingerprints?["xenograft/v1"] })
    #expect(prints.count == run.results.count)
  }

  @Test func relatedLocations_equalFrames_areListedOnce() {
    var audit = Fixture.small
    audit.images[0].findings = Array(audit.images[0].findings.prefix(1))
    audit.images[0].findings[0].inlined = Array(
      repeating: Frame(function: "twice", file: "a.c", line: 7), count: 3)
    let text = String(decoding: render(audit, format: .sarif), as: UTF8.self)
    #expect(text.ranges(of: "inlined into twice").count == 1)
  }

  @Test func paths_becomeURIs() {
    #expect(fileURI("./a b/c:d.c") == "a%20b/c%3ad.c")
    #expect(fileURI("/boot/vmlinuz-6.1") == "file:///boot/vmlinuz-6.1")
  }

  private func decode(_ bytes: [UInt8]) throws -> Log.Run {
    try #require(JSONDecoder().decode(Log.self, from: Data(bytes)).runs.first)
  }

  private struct Log: Decodable {
    struct Run: Decodable {
      var tool: Tool
      var results: [Result]
    }
    struct Tool: Decodable { var driver: Driver }
    struct Driver: Decodable { var rules: [Rule] }
    struct Rule: Decodable {
      struct Help: Decodable { var markdown: String }
      var id: String
      var help: Help
    }
    struct Result: Decodable {
      struct Properties: Decodable { var findings: Int? }
      struct Suppression: Decodable { var justification: String }
      var ruleId: String
      var ruleIndex: Int
      var level: String
      var locations: [Location]
      var partialFingerprints: [String: String]?
      var suppressions: [Suppression]?
      var properties: Properties
    }
    struct Location: Decodable {
      struct Physical: Decodable { var region: Region }
      struct Region: Decodable { var startLine: Int }
      struct Logical: Decodable { var name: String }
      var physicalLocation: Physical
      var logicalLocations: [Logical]
    }
    var runs: [Run]
  }
}
