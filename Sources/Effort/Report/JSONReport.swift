// The contract for scripts, schema `xenograft.effort/1`.

/// Renders JSON.
struct JSONReport {
  let report: EffortReport
  let view: EffortView

  init(_ report: EffortReport, _ view: EffortView) {
    self.report = report
    self.view = view
  }

  func render() -> String {
    let total = report.total
    var fields: [(String, JSONText)] = [
      ("schema", .string("xenograft.effort/1")),
      ("count", .string(view.count.rawValue)),
      ("whitespace", .string(view.whitespace.rawValue)),
      (
        "git",
        .object([
          ("version", .string(report.gitVersion)),
          ("options", .strings(PairDiff.options(view.whitespace))),
          ("base", .string(report.base)), ("port", .string(report.port)),
          ("baseName", .string(report.baseName)), ("portName", .string(report.portName)),
          ("renameOptions", .strings(RenameFinder.options)),
        ])
      ),
      ("sections", .array(report.sections.map(section))),
      ("total", .integer(total[view.whitespace][view.count].lines)),
      ("totals", counts(total)),
      (
        "base",
        .object([
          ("lines", .integer(report.baseLines[view.count])),
          ("include", .strings(report.include)), ("exclude", .strings(report.exclude)),
          ("files", .integer(report.baseFiles)),
          ("raw", .integer(report.baseLines.raw)),
          ("nonblank", .integer(report.baseLines.nonblank)),
          ("code", .integer(report.baseLines.code)),
        ])
      ),
      ("portion", report.portion(view.count, view.whitespace).map(JSONText.number) ?? .null),
      ("listed", listed),
      (
        "map",
        .object([
          ("name", .string(report.mapName)),
          (
            "paths",
            .array(
              report.paths.map {
                .object([("port", .string($0.port)), ("base", .string($0.base))])
              })
          ),
          ("guesses", .strings(report.guesses)),
        ])
      ),
      ("files", .array(report.files.map(file))),
    ]
    if view.showsPaper { fields.append(("paper", .array(PaperPort.all.map(paper)))) }
    return JSONText.object(fields).document()
  }

  private func section(_ section: EffortReport.Section) -> JSONText {
    let change = section.isAbsent ? nil : section.changes[view.whitespace][view.count]
    return .object([
      ("name", .string(section.name)), ("added", .optional(change?.added)),
      ("modified", .optional(change?.modified)), ("removed", .optional(change?.removed)),
      ("lines", .optional(change?.lines)),
      ("files", section.isAbsent ? .null : .integer(section.files)),
      ("total", .boolean(section.isCounted)),
      ("counts", section.isAbsent ? .null : counts(section.changes)),
    ])
  }

  /// All counts in both modes.
  private func counts(_ changes: PerWhitespace<ChangeCounts>) -> JSONText {
    .object(
      Whitespace.allCases.map { mode in
        (
          mode.rawValue,
          .object(CountKind.allCases.map { ($0.rawValue, change(changes[mode][$0])) })
        )
      })
  }

  private func change(_ change: LineChange) -> JSONText {
    .object([
      ("added", .integer(change.added)), ("modified", .integer(change.modified)),
      ("removed", .integer(change.removed)), ("lines", .integer(change.lines)),
    ])
  }

  private var listed: JSONText {
    .object([
      ("binary", .strings(report.listed.binary)), ("symlink", .strings(report.listed.symlink)),
      ("submodule", .strings(report.listed.submodule)),
      ("excluded", .strings(report.listed.excluded)),
      ("catchAll", .strings(report.listed.catchAll)), ("other", .strings(report.listed.other)),
    ])
  }

  private func file(_ file: EffortReport.File) -> JSONText {
    let change = file.changes[view.whitespace][view.count]
    return .object([
      ("path", .string(file.path)), ("basePath", .optional(file.basePath)),
      ("status", .string(file.status.rawValue)), ("section", .string(file.section)),
      ("why", .optional(file.why)), ("language", .string(file.language.rawValue)),
      ("added", .integer(change.added)), ("modified", .integer(change.modified)),
      ("removed", .integer(change.removed)), ("lines", .integer(change.lines)),
      ("whiteSpaceOnly", .boolean(file.isWhiteSpaceOnly)), ("counts", counts(file.changes)),
    ])
  }

  private func paper(_ paper: PaperPort) -> JSONText {
    .object([
      ("name", .string(paper.name)),
      (
        "sections",
        .array(
          zip(EffortMap.paperSections, paper.lines).map {
            .object([("name", .string($0)), ("lines", .optional($1))])
          })
      ),
      ("total", .integer(paper.total)), ("portion", .number(Double(paper.portion) / 10_000)),
    ])
  }
}
