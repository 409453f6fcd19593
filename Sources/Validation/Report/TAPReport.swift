// The report in the Test Anything Protocol, version 14: a subtest for each port.

import ABISchema
import AuditReport

/// Renders TAP.
struct TAPReport {
  let report: ValidationReport

  var text: String {
    var lines = ["TAP version 14", "1..\(report.ports.count)"]
    for (index, port) in report.ports.enumerated() {
      lines.append("# Subtest: \(Self.description(port.name))")
      lines.append("    1..\(port.checks.count)")
      for (number, check) in port.checks.enumerated() { lines += self.lines(check, number + 1) }
      lines += port.faults.flatMap { $0.rendered.split(separator: "\n") }
        .map { "    # " + printable(String($0)) }
      lines += port.remarks.map { "    # " + printable($0) }
      lines.append(
        "\(isGood(port) ? "ok" : "not ok") \(index + 1) - \(Self.description(port.name))")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func isGood(_ port: PortReport) -> Bool {
    port.count(.failed) == 0 && port.faults.isEmpty
      && !(report.isStrict && port.count(.skipped) > 0)
  }

  private func lines(_ check: CheckReport, _ number: Int) -> [String] {
    let name = Self.description(check.name)
    switch check.status {
    case .passed: return ["    ok \(number) - \(name)"]
    case .skipped where !report.isStrict:
      return ["    ok \(number) - \(name) # SKIP \(Self.description(check.message))"]
    case .skipped, .failed:
      var lines = [
        "    not ok \(number) - \(name)", "      ---",
        "      message: \(Self.quoted(check.message))",
        "      kind: \(check.kind)",
      ]
      if let place = check.places.first(where: { $0.file != nil }), let file = place.file {
        lines.append(
          "      at: \(Self.quoted(file + (place.line.map { ":\($0)" } ?? "")))")
      }
      if !check.details.isEmpty {
        lines.append("      details:")
        lines += check.details.map { "        - \(Self.quoted($0))" }
      }
      return lines + ["      ..."]
    }
  }

  /// A description must have no `#`, which would begin a directive.
  private static func description(_ text: String) -> String {
    printable(text).replacing("\\", with: "\\\\").replacing("#", with: "\\#")
  }

  /// A string of YAML.
  private static func quoted(_ text: String) -> String {
    "\"" + printable(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
