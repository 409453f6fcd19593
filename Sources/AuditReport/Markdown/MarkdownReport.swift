// The Markdown rendering, for a comment on a pull request: tables first, details folded, and never
// longer than such a comment may be.

import Audit

/// Renders an audit as Markdown.
struct MarkdownReport {
  let result: AuditResult
  /// A comment holds 65,536 characters; some are left for what the caller adds.
  static let limit = 60_000
  private static let rows = 15
  private static let details = 100

  init(_ result: AuditResult) {
    self.result = result
  }

  func render() -> [UInt8] {
    var out = ByteBuffer(capacity: Self.limit)
    out.line("## Audit for \(result.target.rawValue)")
    out.line()
    out.line("| image | replace | silent | emulated | nothing to port | new | fixed |")
    out.line("|---|--:|--:|--:|--:|--:|--:|")
    for (index, image) in result.images.enumerated() {
      guard index < 50 else {
        out.line("| and \(counted(result.images.count - index, "image")) more | | | | | | |")
        break
      }
      let counts = NeedCounts(image.findings)
      let summary = Summary(image.findings)
      out.line(
        "| \(Self.code(image.path)) | \(cells(counts)) | \(summary.new) | \(image.fixed.count) |")
    }
    for image in result.images {
      var part = ByteBuffer()
      write(image, to: &part)
      guard out.bytes.count + part.bytes.count < Self.limit else {
        out.line()
        out.line("The rest is left out: it would not fit a comment.")
        break
      }
      out.append(contentsOf: part.bytes)
    }
    return out.bytes
  }

  private func cells(_ counts: NeedCounts) -> String {
    "\(counts.replace) | \(counts.silent) | \(counts.emulated) | \(counts.nothing)"
  }

  private func write(_ image: ImageResult, to out: inout ByteBuffer) {
    let groups = ruleGroups(of: image.findings.filter { $0.need > .nothing })
    guard !groups.isEmpty else { return }
    out.line()
    out.line("### \(Self.code(baseName(image.path)))")
    out.line()
    out.line("| becomes | rule | findings | write instead |")
    out.line("|---|---|--:|---|")
    for group in groups.prefix(40) {
      let replacement = group.replacement.map(Self.code) ?? ""
      out.line(
        "| \(group.need.label) | \(Self.code(group.rule)) | \(group.findings.count) | \(replacement) |"
      )
    }
    if groups.count > 40 { out.line("| | \(groups.count - 40) more | | |") }
    writeTally("By directory", tally(image.findings) { $0.directory }, to: &out)
    writeTally("By function", tally(image.findings) { $0.shownFunction }, to: &out)
    writeDetails(image, to: &out)
  }

  private func writeTally(_ title: String, _ rows: [TallyRow], to out: inout ByteBuffer) {
    guard !rows.isEmpty else { return }
    fold("\(title) (\(rows.count))", to: &out) { out in
      out.line("| | replace | silent | emulated | nothing |")
      out.line("|---|--:|--:|--:|--:|")
      for row in rows.prefix(Self.rows) {
        out.line("| \(Self.code(row.name)) | \(cells(row.counts)) |")
      }
      if rows.count > Self.rows { out.line("| \(rows.count - Self.rows) more | | | | |") }
    }
  }

  /// Writes what a reviewer must look at: new findings where there is a baseline, else the gravest.
  private func writeDetails(_ image: ImageResult, to out: inout ByteBuffer) {
    let shown = image.findings.filter {
      $0.need > .nothing && $0.suppression == nil && $0.baselineState != .known
    }
    let ranked = shown.indices.sorted { left, right in
      let (a, b) = (shown[left].need, shown[right].need)
      return a == b ? left < right : a > b
    }
    guard !ranked.isEmpty else { return }
    let isNew = shown.contains { $0.baselineState == .new }
    fold("\(isNew ? "New findings" : "Findings") (\(ranked.count))", to: &out) { out in
      out.line("| address | instruction | becomes | function | source |")
      out.line("|---|---|---|---|---|")
      for index in ranked.prefix(Self.details) {
        let finding = shown[index]
        let source = finding.sourcePlace.map { Self.code("\($0.file):\($0.line)") } ?? ""
        let function = finding.shownFunction.map(Self.code) ?? ""
        out.line(
          "| \(Self.code(Hex.address(finding.address))) | \(Self.code(finding.instruction)) "
            + "| \(finding.need.label) | \(function) | \(source) |")
      }
      if ranked.count > Self.details {
        out.line("| and \(ranked.count - Self.details) more | | | | |")
      }
    }
  }

  private func fold(
    _ title: String, to out: inout ByteBuffer, _ body: (inout ByteBuffer) -> Void
  ) {
    out.line()
    out.line("<details><summary>\(title)</summary>")
    out.line()
    body(&out)
    out.line()
    out.line("</details>")
  }

  /// `text` as code in a table's cell, where nothing in it means anything to Markdown or HTML.
  static func code(_ text: String) -> String {
    var escaped = ""
    for scalar in printable(text).fitted(160).unicodeScalars {
      switch scalar {
      case "&", "<", ">", "|", "`", "\\", "@", "#", "*", "_", "[", "]", "~":
        escaped += "&#\(scalar.value);"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return "<code>\(escaped)</code>"
  }
}
