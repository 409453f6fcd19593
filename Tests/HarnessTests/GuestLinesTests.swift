// Expectations: met by whole lines and by prompts, each once, and refused where they are no
// regular expressions.

import Testing

@testable import Harness

@Suite struct GuestLinesTests {
  @Test func lineInPieces_isReportedWhole() throws {
    var lines = try GuestLines(expectations: ["about"])
    lines.take(Array("about".utf8))
    #expect(lines.isSatisfied)
    lines.take(Array(" to crash\nabout\n".utf8))
    #expect(lines.results.first?.line == "about to crash")
  }

  @Test func expectations_areMetInAnyOrder() throws {
    var lines = try GuestLines(expectations: ["^b$", "^a+$", "never"])
    lines.take(Array("aaa\nb\n".utf8))
    #expect(lines.results.map(\.matched) == [true, true, false])
    #expect(lines.results.map(\.line) == ["b", "aaa", nil])
    #expect(!lines.isSatisfied)
  }

  @Test func patternDoesNotReachAcrossLines() throws {
    var lines = try GuestLines(expectations: ["a.*b"])
    lines.take(Array("a\nb\n".utf8))
    #expect(!lines.isSatisfied)
  }

  @Test func badPattern_isRefused() {
    #expect(throws: HarnessError.self) { try GuestLines(expectations: ["("]) }
  }
}
