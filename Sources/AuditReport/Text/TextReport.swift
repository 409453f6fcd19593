// The report for people: what kills the guest, what lies silently, what is merely slow; where that
// stands; then each finding. The tables are in TextReport+Tables.swift, the findings in
// TextReport+Details.swift.

import Audit

/// Renders an audit as text.
struct TextReport {
  let result: AuditResult
  let options: RenderOptions
  /// Rows of each table in the summary.
  let rows = 15
  var out = ByteBuffer(capacity: 1 << 16)

  init(_ result: AuditResult, _ options: RenderOptions) {
    self.result = result
    self.options = options
  }

  var width: Int { min(max(options.width, 60), 400) }

  func render() -> [UInt8] {
    var report = self
    for (index, image) in result.images.enumerated() {
      if index > 0 { report.out.line() }
      report.write(image)
    }
    if result.images.count > 1 { report.writeImages() }
    return report.out.bytes
  }

  func styled(_ text: String, _ style: TextStyle) -> String {
    style.apply(text, color: options.color)
  }

  mutating func heading(_ text: String) {
    out.line()
    out.line(styled(text, .heading))
  }

  /// Writes `text` broken to the width, indented.
  mutating func paragraph(_ text: String, indent: Int) {
    let margin = String(repeating: " ", count: indent)
    for line in printable(text).wrapped(width - indent) { out.line(margin + line) }
  }

  private mutating func write(_ image: ImageResult) {
    writeHead(image)
    guard !image.findings.isEmpty else {
      out.line()
      out.line("No instruction assumes ring 0.")
      writeScanTrouble(image)
      return
    }
    writeHeadline(image)
    writeLiveness(image)
    writeRules(image)
    writeTally("By directory of the line itself", image, limit: rows) { $0.directory }
    writeTally("By directory of the function around it", image, limit: rows) {
      ($0.file ?? $0.sourcePlace?.file).map(directoryName)
    }
    writeTally("By function", image, limit: rows) { $0.shownFunction }
    writeScanTrouble(image)
    if !options.summaryOnly { writeDetails(image) }
  }

  private mutating func writeHead(_ image: ImageResult) {
    out.line(styled(printable(image.path), .heading))
    var facts = ["\(image.format), \(image.bits)-bit"]
    if let buildID = image.buildID { facts.append("build id \(printable(buildID).fitted(44))") }
    out.line("  " + facts.joined(separator: ", "))
    let scanned = image.scanned
    var line = "  target \(result.target.rawValue): \(counted(scanned.bytes, "byte"))"
    line += ", \(counted(scanned.instructions, "instruction"))"
    if let seconds = scanned.seconds {
      var number = JSONWriter()
      number.milliseconds(ofSeconds: seconds)
      line += " in \(String(decoding: number.bytes, as: UTF8.self)) s"
    }
    out.line(line)
    for remark in image.remarks { paragraph("note: " + remark, indent: 2) }
  }

  private mutating func writeHeadline(_ image: ImageResult) {
    let counts = NeedCounts(image.findings)
    out.line()
    let assume = image.findings.count == 1 ? "instruction assumes" : "instructions assume"
    out.line("  \(grouped(image.findings.count)) \(assume) ring 0:")
    out.line()
    let column = max(7, grouped(counts.total).count)
    for need in PortingNeed.allCases.reversed() {
      let count = grouped(counts[need]).paddedLeft(column)
      let label = need.label.padded(9)
      let style = counts[need] > 0 ? TextStyle.need(need) : .faint
      out.line("  " + styled("\(count)  \(label)", style) + "  " + need.sentence)
    }
    writeAside(image, column: column)
  }

  /// Writes the parts of `nothing`, and the counts that cross the four headline numbers.
  private mutating func writeAside(_ image: ImageResult, column: Int) {
    let native = image.findings.count { $0.liveness == .nativeOnly }
    let unreachable = image.findings.count {
      $0.liveness != .nativeOnly && $0.disposition == .unreachable
    }
    let allowed = image.findings.count { $0.liveness != .nativeOnly && $0.disposition == .native }
    let margin = String(repeating: " ", count: column + 13)
    for (count, text) in [
      (native, "on the native side of a paravirtual alternative"),
      (unreachable, "in code that a \(result.target.rawValue) guest never reaches"),
      (allowed, "allowed as they are"),
    ] where count > 0 {
      out.line(margin + "\(grouped(count).paddedLeft(column)) \(text)")
    }
    let summary = Summary(image.findings)
    var aside: [String] = []
    if summary.suppressed > 0 { aside.append("\(grouped(summary.suppressed)) suppressed") }
    if image.findings.contains(where: { $0.baselineState != nil }) || !image.fixed.isEmpty {
      aside.append("against the baseline \(grouped(summary.new)) new")
      aside.append("\(grouped(image.fixed.count)) fixed")
    }
    if !aside.isEmpty {
      out.line()
      out.line("  " + aside.joined(separator: ", "))
    }
    writeProfile(image, column: column)
  }

  /// Writes what the traced run made of the findings that ask something of a port.
  private mutating func writeProfile(_ image: ImageResult, column: Int) {
    let tally = ProfileTally(image.findings)
    guard tally.isTraced else { return }
    out.line()
    out.line("  of those that ask something of a port, in the traced run:")
    out.line()
    for (count, text) in tally.rows {
      out.line("  \(grouped(count).paddedLeft(column))  \(text)")
    }
  }
}
