// The report as JUnit's XML, in the form that CI systems read: a suite for each port, a case for each
// check.

import ABISchema
import AuditReport
import Foundation

/// Renders JUnit's XML.
struct JUnitReport {
  let report: ValidationReport

  var text: String {
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites>"]
    for (id, port) in report.ports.enumerated() { lines += suite(port, id: id) }
    lines.append("</testsuites>")
    return lines.map { $0 + "\n" }.joined()
  }

  private func suite(_ port: PortReport, id: Int) -> [String] {
    // Under --strict-skips a check that could not run is an error of the test, not of the port.
    let skipped = port.count(.skipped)
    let attributes = [
      ("package", "xenograft"), ("id", String(id)), ("name", port.name),
      ("timestamp", Self.time(port.began)), ("hostname", "localhost"),
      ("tests", String(port.checks.count)), ("failures", String(port.count(.failed))),
      ("errors", String(report.isStrict ? skipped : 0)),
      ("skipped", String(report.isStrict ? 0 : skipped)), ("time", Self.decimal(port.seconds)),
    ]
    var lines = ["  <testsuite" + Self.words(attributes) + ">", "    <properties>"]
    for (name, value) in [
      ("file", port.file), ("kernel", port.kernel), ("hypervisor", port.hypervisor),
    ] {
      lines.append("      <property" + Self.words([("name", name), ("value", value)]) + "/>")
    }
    lines.append("    </properties>")
    for check in port.checks { lines += self.lines(check, of: port) }
    let remarks = port.faults.map(\.rendered) + port.remarks + [port.missing].compactMap(\.self)
    let seen = port.artefacts.map { "what was seen: \($0)" } ?? ""
    lines.append("    <system-out>\(Self.escaped(seen))</system-out>")
    lines.append("    <system-err>\(Self.escaped(remarks.joined(separator: "\n")))</system-err>")
    lines.append("  </testsuite>")
    return lines
  }

  private func lines(_ check: CheckReport, of port: PortReport) -> [String] {
    let head =
      "    <testcase"
      + Self.words([
        ("name", check.name), ("classname", "xenograft.\(port.name)"),
        ("time", Self.decimal(check.seconds)),
      ])
    let message = ("message", check.message)
    switch check.status {
    case .passed: return [head + "/>"]
    case .skipped where !report.isStrict:
      return [head + ">", "      <skipped" + Self.words([message]) + "/>", "    </testcase>"]
    case .skipped:
      let words = Self.words([message, ("type", check.kind)])
      return [head + ">", "      <error" + words + "/>", "    </testcase>"]
    case .failed:
      let details = ["\(port.file):\(check.position.line)"] + check.details
      return [
        head + ">",
        "      <failure" + Self.words([message, ("type", check.kind)]) + ">"
          + Self.escaped(details.joined(separator: "\n")) + "</failure>", "    </testcase>",
      ]
    }
  }

  private static func words(_ attributes: [(name: String, value: String)]) -> String {
    attributes.map { " \($0.name)=\"\(escaped($0.value))\"" }.joined()
  }

  /// Text fit for elements and attributes; what XML cannot have at all is spelled out.
  private static func escaped(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { printable(String($0)) }.joined(separator: "\n")
      .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;").replacing("\n", with: "&#10;")
  }

  /// Seconds with three decimals and no exponent.
  private static func decimal(_ seconds: Double) -> String {
    let thousandths = seconds.isFinite ? max(0, Int((seconds * 1000).rounded())) : 0
    let fraction = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count)
      + fraction
  }

  /// In UTC, without a zone, as the schema wants it.
  private static func time(_ seconds: Double) -> String {
    let text = Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    return text.hasSuffix("Z") ? String(text.dropLast()) : text
  }
}
