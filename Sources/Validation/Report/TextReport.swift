// The report for a person: a line for each check, and of what failed where and what was found.

import ABISchema
import AuditReport

/// Renders text.
struct TextReport {
  private static let mostDetails = 12

  let report: ValidationReport
  let view: ValidationView

  var text: String {
    var lines: [String] = []
    for port in report.ports {
      lines.append(heading("\(port.file): \(printable(port.name)) on \(port.hypervisor)"))
      lines += port.checks.flatMap { self.lines($0, nameWidth: nameWidth(port)) }
      lines += port.faults.flatMap { $0.rendered.split(separator: "\n").map { "  \($0)" } }
      lines += port.remarks.map { "  note: \(printable($0))" }
      lines.append("")
      if let folder = port.artefacts {
        lines.append("  what was seen: \(folder)/\(ArtefactShelf.summary)")
      }
      lines.append("  \(counts(port.checks)) in \(BootJudgement.text(port.seconds))")
      lines.append("")
    }
    if report.ports.count > 1 {
      lines.append(
        "\(report.ports.count) ports: \(counts(report.ports.flatMap(\.checks))) in "
          + BootJudgement.text(report.seconds))
    } else if !lines.isEmpty {
      lines.removeLast()
    }
    if report.isStrict, report.count(.skipped) > 0 {
      lines.append("--strict-skips: what is skipped counts as failed")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func nameWidth(_ port: PortReport) -> Int {
    min(28, port.checks.map(\.name.count).max() ?? 0)
  }

  private func lines(_ check: CheckReport, nameWidth: Int) -> [String] {
    let indent = String(repeating: " ", count: 12 + nameWidth)
    let words = printable(check.message).wrapped(max(30, view.width - indent.count))
    let head = "  " + status(check.status) + " " + printable(check.name).padded(nameWidth) + "  "
    var lines = [head + (words.first ?? "")]
    lines += words.dropFirst().map { indent + $0 }
    guard check.status == .failed else { return lines }
    lines += check.details.prefix(Self.mostDetails).map { indent + "| " + printable($0) }
    if check.details.count > Self.mostDetails {
      lines.append(indent + "| … \(check.details.count - Self.mostDetails) more")
    }
    return lines
  }

  private func status(_ status: CheckStatus) -> String {
    let (word, code) =
      switch status {
      case .passed: ("passed ", "32")
      case .failed: ("FAILED ", "31")
      case .skipped: ("skipped", "33")
      }
    return view.usesColor ? "\u{1B}[\(code)m\(word)\u{1B}[0m" : word
  }

  private func heading(_ text: String) -> String {
    view.usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text
  }

  private func counts(_ checks: [CheckReport]) -> String {
    [CheckStatus.passed, .failed, .skipped].map { status in
      "\(checks.count { $0.status == status }) \(status.rawValue)"
    }.joined(separator: ", ")
  }
}
