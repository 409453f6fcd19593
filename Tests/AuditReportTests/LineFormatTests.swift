// The formats that are made of lines and tables: CSV, GitHub annotations and Markdown; and baselines.

import Audit
import Testing

@testable import AuditReport

@Suite struct LineFormatTests {
  @Test(arguments: [
    (ReportFormat.csv, "small.csv"), (.github, "small.github.txt"), (.markdown, "small.md"),
  ])
  func snapshot_smallAudit_matchesRecord(format: ReportFormat, name: String) throws {
    try expectSnapshot(render(Fixture.small, format: format), name)
  }

  @Test(arguments: ReportFormat.allCases)
  func render_twice_givesTheSameBytes(format: ReportFormat) {
    #expect(
      render(Fixture.large(500), format: format) == render(Fixture.large(500), format: format))
  }

  @Test func csv_formulas_areText() {
    #expect(CSVReport.quoted("=1+1") == "'=1+1")
    #expect(CSVReport.quoted("@SUM(\"a\",1)") == "\"'@SUM(\"\"a\"\",1)\"")
    #expect(CSVReport.quoted("a\nb") == "\"a\nb\"")
    #expect(CSVReport.quoted("plain") == "plain")
  }

  @Test func github_breaks_stayInsideTheCommand() {
    let text = String(decoding: render(Fixture.small, format: .github), as: UTF8.self)
    #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("::") })
    #expect(!text.contains("production"))
    #expect(GitHubReport.property("a:b,c%\n") == "a%3Ab%2Cc%25%0A")
  }

  @Test func github_manyFindings_areBoundedAndCounted() {
    let text = String(decoding: render(Fixture.large(500), format: .github), as: UTF8.self)
    #expect(text.split(separator: "\n").count == GitHubReport.limit + 2)
    #expect(text.contains("more findings are not annotated"))
  }

  @Test func markdown_manyFindings_fitAComment() {
    var audit = Fixture.large(3000)
    audit.images = Array(repeating: audit.images[0], count: 60)
    #expect(render(audit, format: .markdown).count < 65_536)
  }

  @Test func markdown_names_areInert() {
    let text = String(decoding: render(Fixture.small, format: .markdown), as: UTF8.self)
    #expect(!text.contains("<script"))
    #expect(!text.contains("**bold**"))
  }

  @Test func baseline_writtenAndRead_isTheSame() throws {
    let baseline = Baseline(of: Fixture.small)
    let bytes = baseline.encoded()
    try expectSnapshot(bytes, "baseline.json")
    #expect(try Baseline(path: "baseline.json", bytes: bytes) == baseline)
  }
}
