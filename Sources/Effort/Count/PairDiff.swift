// The changes of pairs of files, in both modes of white space, from one run of git for each.

/// Compares pairs.
struct PairDiff {
  /// The options of every diff; the report states them.
  static let options = [
    "-U0", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic",
    "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
  ]

  static func options(_ mode: Whitespace) -> [String] {
    options + (mode == .ignore ? ["-w"] : [])
  }

  /// One comparison: blobs, and the lines of both.
  struct Subject: Sendable {
    var old: String
    var new: String
    var oldLines: LineClasses
    var newLines: LineClasses
  }

  /// What came out for one subject; `nil` where git takes it for binary.
  typealias Outcome = PerWhitespace<ChangeCounts>?

  let bench: Workbench

  /// The changes of each subject, in order.
  func changes(of subjects: [Subject]) async throws(EffortError) -> [Outcome] {
    guard !subjects.isEmpty else { return [] }
    let named = subjects.enumerated().map { (Workbench.name($0), $1) }
    let old = try await bench.tree(named.map { ($0, $1.old) })
    let new = try await bench.tree(named.map { ($0, $1.new) })
    let ignore = try await diff(old, new, .ignore)
    let strict = try await diff(old, new, .strict)
    return subjects.enumerated().map { number, subject in
      if ignore.binary.contains(number) || strict.binary.contains(number) { return nil }
      return PerWhitespace(
        ignore: Self.add(ignore.hunks[number] ?? [], subject),
        strict: Self.add(strict.hunks[number] ?? [], subject))
    }
  }

  private func diff(
    _ old: String, _ new: String, _ mode: Whitespace
  ) async throws(EffortError) -> DiffParser {
    var parser = DiffParser()
    try await bench.git.stream(["diff-tree", "-r", "-p"] + Self.options(mode) + [old, new]) {
      parser.feed($0)
      if let fault = parser.fault { throw EffortError.git(command: "diff-tree", message: fault) }
    }
    parser.end()
    if let fault = parser.fault { throw .git(command: "diff-tree", message: fault) }
    return parser
  }

  private static func add(_ hunks: [Hunk], _ subject: Subject) -> ChangeCounts {
    var changes = ChangeCounts.zero
    for hunk in hunks {
      changes += ChangeCounts(
        old: subject.oldLines.counts(from: hunk.oldStart, count: hunk.oldCount),
        new: subject.newLines.counts(from: hunk.newStart, count: hunk.newCount))
    }
    return changes
  }
}
