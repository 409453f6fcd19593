// The report for people.

import Audit
import Testing

@testable import AuditReport

@Suite struct TextReportTests {
  @Test func snapshot_smallAudit_matchesRecord() throws {
    try expectSnapshot(render(Fixture.small, format: .text), "small.txt")
  }

  @Test func snapshot_verbose_matchesRecord() throws {
    var options = RenderOptions()
    options.verbose = true
    try expectSnapshot(
      render(Fixture.small, format: .text, options: options), "small-verbose.txt")
  }

  @Test func snapshot_summaryOnly_matchesRecord() throws {
    var options = RenderOptions()
    options.summaryOnly = true
    try expectSnapshot(
      render(Fixture.large(300), format: .text, options: options), "large-summary.txt")
  }

  @Test func hostileNames_neverReachTheTerminal() {
    let text = String(decoding: render(Fixture.small, format: .text), as: UTF8.self)
    let bad = text.unicodeScalars.filter { $0 != "\n" && ($0.value < 0x20 || $0.value == 0x7F) }
    #expect(bad.isEmpty)
    #expect(!text.unicodeScalars.contains("\u{202E}"))
  }

  @Test func color_onlyWhereAsked() {
    var options = RenderOptions()
    options.color = true
    let colored = render(Fixture.small, format: .text, options: options)
    #expect(colored.contains(0x1B))
    #expect(!render(Fixture.small, format: .text).contains(0x1B))
  }

  @Test func lines_ofALargeAudit_keepTheWidth() {
    for width in [80, 100, 140] {
      var options = RenderOptions()
      options.width = width
      let text = String(
        decoding: render(Fixture.large(500), format: .text, options: options), as: UTF8.self)
      let long = text.split(separator: "\n").filter { $0.count > width }.map(String.init)
      #expect(long == [])
    }
  }

  @Test func noFindings_saysSo() {
    let empty = AuditResult(target: .pv64, images: [Fixture.image("empty", [])], rules: [:])
    let text = String(decoding: render(empty, format: .text), as: UTF8.self)
    #expect(text.contains("No instruction assumes ring 0."))
  }
}
