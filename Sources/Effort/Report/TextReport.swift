// The report for people at a terminal.

/// Renders text.
struct TextReport {
  private static let width = 100
  /// Paths of a list that are shown; JSON has all.
  private static let shown = 8

  let table: EffortTable
  let notes: EffortNotes

  init(_ report: EffortReport, _ view: EffortView) {
    table = EffortTable(report, view)
    notes = EffortNotes(report, view)
  }

  func render() -> String {
    var lines: [String] = []
    let all = [table.head] + table.rows.map(\.cells)
    let widths = table.head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let rule = String(repeating: "─", count: widths.reduce(0, +) + 2 * (widths.count - 1))
    lines.append(line(table.head, widths))
    lines.append(rule)
    var kind = EffortTable.Row.Kind.counted
    for row in table.rows {
      if row.kind == .total || row.kind == .other && kind != .other { lines.append(rule) }
      kind = row.kind
      lines.append(line(row.cells, widths))
    }
    lines.append("")
    for note in notes.method { lines += wrapped(note) }
    for list in notes.lists {
      lines.append("\(list.heading): \(grouped(list.paths.count))")
      lines += list.paths.prefix(Self.shown).map { "  " + printable($0) }
      if list.paths.count > Self.shown {
        lines.append(
          "  … and \(grouped(list.paths.count - Self.shown)) more; --format json has all")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The first cell to the left, numbers to the right.
  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (column, cell) in cells.enumerated() {
      let gap = String(repeating: " ", count: max(0, widths[column] - cell.count))
      text += column == 0 ? cell + gap : "  " + gap + cell
    }
    while text.last == " " { text.removeLast() }
    return text
  }

  /// Broken at spaces; what follows is indented.
  private func wrapped(_ text: String) -> [String] {
    let indent = String(repeating: " ", count: text.prefix { $0 == " " }.count)
    var lines: [String] = []
    var line = indent
    for word in text.split(separator: " ") {
      if line.count + word.count + 1 > Self.width, line.contains(where: { $0 != " " }) {
        lines.append(line)
        line = indent + "    "
      }
      line += (line.allSatisfy { $0 == " " } ? "" : " ") + word
    }
    return lines + [line]
  }
}
