// The report as Markdown, for a pull request or a README.

/// Renders Markdown.
struct MarkdownReport {
  let table: EffortTable
  let notes: EffortNotes

  init(_ report: EffortReport, _ view: EffortView) {
    table = EffortTable(report, view)
    notes = EffortNotes(report, view)
  }

  func render() -> String {
    var lines = [line(table.head)]
    lines.append("|---|" + table.head.dropFirst().map { _ in "---:|" }.joined())
    for row in table.rows {
      switch row.kind {
      case .total, .portion: lines.append(line(row.cells.map { $0.isEmpty ? "" : "**\($0)**" }))
      case .other: lines.append(line(row.cells.enumerated().map { $0 == 0 ? "*\($1)*" : $1 }))
      case .counted: lines.append(line(row.cells))
      }
    }
    lines.append("")
    lines += notes.method.map { "- " + escaped(String($0.drop { $0 == " " })) }
    for list in notes.lists {
      lines.append("- \(list.heading): \(grouped(list.paths.count))")
      lines += list.paths.prefix(20).map { "  - " + escaped(printable($0)) }
      if list.paths.count > 20 { lines.append("  - … and \(grouped(list.paths.count - 20)) more") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ cells: [String]) -> String {
    "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
  }

  /// Nothing of a path is markup.
  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      if "\\`*_[]<>|#".contains(character) { result += "\\" }
      result.append(character)
    }
    return result
  }
}
