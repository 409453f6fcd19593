// Suppression files: what they cover, and what is wrong with bad ones.

import Audit
import Testing

@Suite struct GateSuppressionTests {
  @Test func entries_coverByPatternAndReportTheRest() throws {
    let text = """
      suppressions:
        - rule: mov-*
          function: load_*
          reason: Known, and done by hand
        - rule: lidt
          reason: Never there
        - rule: "*"
          reason: Over
          expires: 2020-01-31
      """
    let file = try SuppressionFile(path: "s.yaml", bytes: Array(text.utf8))
    var result = GateFixture.result(
      [GateFixture.finding(0), GateFixture.finding(1, function: "other")])
    let report = result.apply(file.suppressions, today: "2026-11-23")
    #expect(result.images[0].findings.map(\.suppression) == ["Known, and done by hand", nil])
    #expect(report.unused.map(\.rule) == ["lidt"])
    #expect(report.expired.map(\.line) == [7])
    #expect(!verdict(result, .replace))
  }

  @Test(arguments: [
    ("suppressions:\n  - rule: x\n    resaon: y\n", 3, 5),
    ("suppressions:\n  - rule: x\n", 2, 5),
    ("suppressions:\n  - reason: x\n", 2, 5),
    ("suppressions:\n  - rule: x\n    reason: y\n    expires: soon\n", 4, 14),
    ("suppressions:\n  - rule: [x]\n    reason: y\n", 2, 11),
    ("other: 1\n", 1, 1),
    ("- a\n", 1, 1),
    ("suppressions: {a\n", 2, 1),
    ("suppressions: []\nsuppressions: []\n", 1, 1),
  ])
  func badFiles_areLocated(text: String, line: Int, column: Int) {
    #expect {
      try SuppressionFile(path: "s.yaml", bytes: Array(text.utf8))
    } throws: { error in
      guard let error = error as? GateFileError else { return false }
      return error.line == line && error.column == column
    }
  }

  @Test(arguments: ["", "# nothing\n", "suppressions:\n", "suppressions: []\n"])
  func emptyFiles_areFine(text: String) throws {
    #expect(try SuppressionFile(path: "s.yaml", bytes: Array(text.utf8)).suppressions.isEmpty)
  }

  @Test(arguments: ["[", "{a: ", "- "])
  func deepNesting_isRefusedOrHarmless(part: String) {
    let text = "suppressions: " + String(repeating: part, count: 100_000)
    #expect(throws: GateFileError.self) {
      try SuppressionFile(path: "s.yaml", bytes: Array(text.utf8))
    }
  }

  @Test func missingFile_namesItself() {
    #expect {
      try SuppressionFile(path: "no/such/file.yaml")
    } throws: { ($0 as? GateFileError)?.message.hasPrefix("no/such/file.yaml: expected") == true }
  }

  @Test func today_isADate() {
    #expect(SuppressionFile.today().utf8.count == 10)
    #expect(SuppressionFile.today() > "2025-01-01")
  }
}
