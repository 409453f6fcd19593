// What became of lines, in words: where the next one was looked for, and where it stood instead.

import AuditReport

/// Words for a watch's result.
struct LineWords {
  let result: LineWatchResult
  let lineCount: Int

  /// All lines came.
  var success: String {
    guard let last = result.met.compactMap(\.self).last else {
      return "\(counted(lineCount, "line")) without what must not come"
    }
    return result.met.count == 1
      ? "line \(last.number): \(last.text)"
      : "all \(result.met.count) lines, the last on line \(last.number)"
  }

  /// The first line that did not come.
  func missing(_ patterns: [LinePattern]) -> String {
    guard let index = result.met.firstIndex(where: { $0 == nil }) else { return success }
    let text = patterns.indices.contains(index) ? "`\(patterns[index].text)`" : "another line"
    var words = "expected a line with \(text)"
    if index > 0, let before = result.met[index - 1] { words += " behind line \(before.number)" }
    guard let early = result.first[index] else {
      return words + ", found none in \(counted(lineCount, "line"))"
    }
    return words + ", found it on line \(early.number) alone: \(early.text)"
  }
}
