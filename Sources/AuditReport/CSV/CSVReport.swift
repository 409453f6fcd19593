// The CSV rendering (RFC 4180): a header and one line per finding, for spreadsheets and databases.
// Line ends are CR LF, as the RFC has it.

import Audit

/// Renders an audit as CSV.
struct CSVReport {
  let result: AuditResult

  private static let columns = [
    "image", "address", "section", "bytes", "instruction", "rule", "class", "disposition", "need",
    "liveness", "function", "offset", "file", "line", "innermost_function", "innermost_file",
    "innermost_line", "context", "sites", "replacement", "guide", "executed", "fingerprint",
    "baseline", "suppression", "profile",
  ]

  init(_ result: AuditResult) {
    self.result = result
  }

  func render() -> [UInt8] {
    var out = ByteBuffer(capacity: 1 << 16)
    out.append(Self.columns.joined(separator: ",") + "\r\n")
    for image in result.images {
      for finding in image.findings {
        for (index, value) in fields(finding, image).enumerated() {
          if index > 0 { out.append(",") }
          out.append(Self.quoted(value))
        }
        out.append("\r\n")
      }
    }
    return out.bytes
  }

  private func fields(_ finding: Finding, _ image: ImageResult) -> [String] {
    let place = finding.place
    return [
      image.path, Hex.address(finding.address), finding.section, Hex.bytes(finding.bytes),
      finding.instruction, finding.rule, finding.ruleClass.rawValue, finding.disposition.rawValue,
      finding.need.label, finding.liveness.rawValue, finding.function ?? "",
      finding.offset.map { String($0) } ?? "", finding.file ?? "",
      finding.line.map { String($0) } ?? "",
      finding.inlined.first?.function ?? finding.function ?? "", place?.file ?? "",
      place.map { String($0.line) } ?? "",
      finding.context.map(\.rawValue).joined(separator: " "), String(finding.sites.count),
      finding.replacement ?? "", finding.guide, finding.executed.map { String($0) } ?? "",
      finding.fingerprint, finding.baselineState?.rawValue ?? "", finding.suppression ?? "",
      finding.profile?.rawValue ?? "",
    ]
  }

  /// One field, quoted where it must be.
  ///
  /// A spreadsheet takes text that begins with `=`, `+`, `-` or `@` for a formula and would run what
  /// a symbol table says; an apostrophe before it makes it text again.
  static func quoted(_ value: String) -> String {
    var value = value
    if let first = value.utf8.first,
      [0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D, 0x0A].contains(first)
    {
      value = "'" + value
    }
    let needsQuotes = value.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
    return needsQuotes ? "\"" + value.replacing("\"", with: "\"\"") + "\"" : value
  }
}
