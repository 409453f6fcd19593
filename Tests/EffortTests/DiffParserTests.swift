// Diffs in pieces of any size, and diffs that no git would write.

import Testing

@testable import Effort

@Suite struct DiffParserTests {
  private static let diff = """
    diff --git a/000000000 b/000000000
    index 1..2 100644
    --- a/000000000
    +++ b/000000000
    @@ -1 +1,2 @@ int f()
    --- a/000000001
    +++ b/000000001
    +@@ -1,9 +1,9 @@
    \\ No newline at end of file
    @@ -5,0 +7 @@
    +diff --git a/000000003 b/000000003
    diff --git a/000000002 b/000000002
    Binary files a/000000002 and b/000000002 differ

    """

  @Test(arguments: [1, 2, 3, 7, 64, 10_000]) func pieces_giveTheSameHunks(size: Int) {
    var parser = DiffParser()
    let bytes = Array(Self.diff.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { parser.feed($0) }
    }
    parser.end()
    #expect(parser.fault == nil)
    #expect(
      parser.hunks == [
        0: [
          Hunk(oldStart: 1, oldCount: 1, newStart: 1, newCount: 2),
          Hunk(oldStart: 5, oldCount: 0, newStart: 7, newCount: 1),
        ]
      ])
    #expect(parser.binary == [2])
  }

  @Test(arguments: [
    "@@ -1 +1 @@\n", "diff --git a/0 b/0\n@@ -x +1 @@\n", "diff --git a/0 b/0\n@@ -1,-2 +1 @@\n",
    "diff --git a/0 b/0\n@@ -1 +1 @@\nnothing\n", "diff --git a/0 b/0\n@@ -1 +1 @@\n-a\n",
    "diff --git a/0 b/0\n@@ -1,99999999999999999999 +1 @@\n",
  ]) func badDiff_isAFault(text: String) {
    var parser = DiffParser()
    Array(text.utf8).withUnsafeBytes { parser.feed($0) }
    parser.end()
    #expect(parser.fault != nil)
  }

  @Test func hunks_beyondATextsEnd_areNoTrap() {
    let lines = Array("a;\n\n".utf8).withUnsafeBytes { TextFacts.classes($0, path: "a.c") }
    #expect(lines.counts(from: 2, count: 9) == LineCounts(raw: 9, nonblank: 0, code: 0))
    #expect(lines.counts(from: .max, count: .max).raw == .max)
    #expect(lines.counts(from: -5, count: -1) == .zero)
  }
}
