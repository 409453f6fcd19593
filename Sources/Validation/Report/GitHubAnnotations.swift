// The report as workflow commands, which a CI runner turns into annotations: at the guest's source line
// where one is known, else at the check in PORT.yaml.

import ABISchema
import AuditReport

/// Renders annotations.
struct GitHubAnnotations {
  let report: ValidationReport

  var text: String {
    var lines: [String] = []
    for port in report.ports {
      for fault in port.faults {
        lines.append(
          command(
            "error", fault.position.file, fault.position.line, title: port.name,
            text: fault.message))
      }
      for check in port.checks where check.status != .passed { lines.append(line(check, port)) }
      lines.append(
        "::notice title=xenograft validate::"
          + GitHubReport.data(
            "\(port.name): \(port.count(.passed)) passed, \(port.count(.failed)) failed, "
              + "\(port.count(.skipped)) skipped"))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func line(_ check: CheckReport, _ port: PortReport) -> String {
    let isBad = check.status == .failed || report.isStrict
    let place = check.places.first { $0.file != nil && $0.line != nil }
    let details = check.status == .failed ? check.details : []
    return command(
      isBad ? "error" : "warning", place?.file ?? check.position.file,
      place?.line ?? check.position.line, title: "\(port.name): \(check.name)",
      text: ([check.message] + details).map(printable).joined(separator: "\n"))
  }

  private func command(
    _ level: String, _ file: String, _ line: Int, title: String, text: String
  ) -> String {
    let properties = [
      "file=" + GitHubReport.property(printable(file)), "line=\(line)",
      "title=" + GitHubReport.property(printable(title)),
    ]
    return "::\(level) \(properties.joined(separator: ","))::" + GitHubReport.data(text)
  }
}
