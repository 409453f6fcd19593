// The report as RFC 4180: one line for each section, in all counts and both modes of white space.

/// Renders CSV.
struct CSVReport {
  let report: EffortReport
  let view: EffortView

  init(_ report: EffortReport, _ view: EffortView) {
    self.report = report
    self.view = view
  }

  func render() -> String {
    var lines = ["section,total,count,whitespace,added,modified,removed,lines,files"]
    for section in report.sections {
      for count in CountKind.allCases {
        for mode in Whitespace.allCases {
          let change = section.changes[mode][count]
          let numbers = [
            change.added, change.modified, change.removed, change.lines, section.files,
          ]
          // An absent section has empty fields.
          let fields =
            [section.name, "\(section.isCounted)", count.rawValue, mode.rawValue]
            + numbers.map { section.isAbsent ? "" : "\($0)" }
          lines.append(fields.map(csvField).joined(separator: ","))
        }
      }
    }
    if view.showsPaper {
      for paper in PaperPort.all {
        for (name, value) in zip(EffortMap.paperSections, paper.lines) {
          let fields = ["\(paper.name): \(name)", "true", "raw", "", "", "", ""]
          lines.append(
            (fields + [value.map(String.init) ?? "", ""]).map(csvField).joined(separator: ","))
        }
      }
    }
    return lines.joined(separator: "\r\n") + "\r\n"
  }
}

/// A field as RFC 4180 writes it.
func csvField(_ text: String) -> String {
  guard text.contains(where: { ",\"\r\n".contains($0) || $0.isNewline }) else { return text }
  return "\"" + text.replacing("\"", with: "\"\"") + "\""
}
