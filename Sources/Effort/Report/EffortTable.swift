// The table as text in cells, which the text, Markdown and HTML reports lay out.

/// The paper's table for one port.
struct EffortTable {
  /// A line of the table.
  struct Row {
    enum Kind {
      case counted
      case total
      case portion
      case other
    }
    var kind: Kind
    var cells: [String]
  }

  var head: [String]
  var rows: [Row] = []

  init(_ report: EffortReport, _ view: EffortView) {
    let papers = view.showsPaper ? PaperPort.all : []
    head = ["Section", "added", "modified", "removed", "lines", "files"] + papers.map(\.name)
    for section in report.sections where section.isCounted {
      let place = EffortMap.paperSections.firstIndex(of: section.name)
      let beside = papers.map { paper in
        place.flatMap { paper.lines[$0] }.map(grouped) ?? "–"
      }
      rows.append(Row(kind: .counted, cells: Self.cells(section, view) + beside))
    }
    let total = report.total[view.whitespace][view.count]
    let files = report.sections.filter(\.isCounted).reduce(0) { $0 + $1.files }
    rows.append(
      Row(
        kind: .total,
        cells: ["Total"] + Self.cells(total) + [grouped(files)]
          + papers.map { grouped($0.total) }))
    rows.append(
      Row(
        kind: .portion,
        cells: ["Portion of the base", "", "", "", Self.portion(report, view), ""]
          + papers.map(\.portionText)))
    for section in report.sections where !section.isCounted && !section.isAbsent {
      rows.append(
        Row(kind: .other, cells: Self.cells(section, view) + papers.map { _ in "" }))
    }
  }

  /// An absent section has dashes: nothing there is not the same as no line changed.
  private static func cells(_ section: EffortReport.Section, _ view: EffortView) -> [String] {
    if section.isAbsent { return [section.name, "–", "–", "–", "–", "–"] }
    return [section.name] + cells(section.changes[view.whitespace][view.count])
      + [grouped(section.files)]
  }

  private static func cells(_ change: LineChange) -> [String] {
    [change.added, change.modified, change.removed, change.lines].map(grouped)
  }

  static func portion(_ report: EffortReport, _ view: EffortView) -> String {
    report.portion(view.count, view.whitespace).map(percent) ?? "–"
  }
}

/// `0.0136` as `1.36 %`.
func percent(_ part: Double) -> String {
  let hundredths = Int((min(part, 1_000_000) * 10_000).rounded())
  let fraction = hundredths % 100
  return "\(grouped(hundredths / 100)).\(fraction < 10 ? "0" : "")\(fraction) %"
}

/// `1234567` as `1,234,567`.
func grouped(_ value: Int) -> String {
  let digits = Array(String(value.magnitude))
  var result = value < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
    result.append(digit)
  }
  return result
}

/// `1 file`, `2,000 files`.
func counted(_ count: Int, _ noun: String) -> String {
  "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")"
}

/// `text` with control characters and marks of direction spelled out: paths are foreign.
func printable(_ text: String) -> String {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      result += "\\u{" + String(scalar.value, radix: 16) + "}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
