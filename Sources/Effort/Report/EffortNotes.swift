// What stands below the table in every format: by which rules it was counted, and what was left out.

/// The notes to a report.
struct EffortNotes {
  /// How it was counted, one sentence each.
  var method: [String] = []
  /// Paths that are listed, by heading.
  var lists: [(heading: String, paths: [String])] = []

  init(_ report: EffortReport, _ view: EffortView) {
    let other = Whitespace.allCases.first { $0 != view.whitespace } ?? .strict
    let total = report.total[other][view.count].lines
    method.append("base: \(Self.side(report.baseName, report.base))")
    method.append("port: \(Self.side(report.portName, report.port))")
    method.append(
      "counted: \(view.count.rawValue) lines, white space \(Self.words(view.whitespace)); "
        + "with white space \(Self.words(other)) the total is \(grouped(total))")
    let counts = CountKind.allCases.map {
      "\($0.rawValue) \(grouped(report.total[view.whitespace][$0].lines))"
    }
    method.append("total by count: " + counts.joined(separator: ", "))
    method.append(
      "base lines: \(grouped(report.baseLines[view.count])) \(view.count.rawValue) in "
        + counted(report.baseFiles, "file"))
    method.append("  of \(Self.globs(report.include))")
    if !report.exclude.isEmpty { method.append("  without \(Self.globs(report.exclude))") }
    method.append("map: \(printable(report.mapName))")
    for pair in report.paths {
      method.append("  \(printable(pair.port)) from \(printable(pair.base))")
    }
    method += report.guesses.map { "guessed: " + printable($0) }
    method.append(
      "git \(report.gitVersion) diff "
        + PairDiff.options(view.whitespace).joined(separator: " ")
        + "; renames \(RenameFinder.options.joined(separator: " "))")
    let listed = report.listed
    lists = [
      ("excluded", listed.excluded), ("binary", listed.binary),
      ("symbolic links", listed.symlink), ("submodules", listed.submodule),
      ("devices, pipes, sockets", listed.other),
      ("placed by nothing but a catch-all", listed.catchAll),
      ("white space alone", report.files.filter(\.isWhiteSpaceOnly).map(\.path)),
    ].filter { !$0.1.isEmpty }
  }

  private static func side(_ name: String, _ record: String) -> String {
    printable(name == record ? name : "\(name) (\(record))")
  }

  private static func words(_ mode: Whitespace) -> String {
    mode == .ignore ? "ignored (-w)" : "counted"
  }

  private static func globs(_ texts: [String]) -> String {
    texts.map(printable).joined(separator: " ")
  }
}
