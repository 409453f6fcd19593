// The tables of the text report's summary.

import Audit

extension TextReport {
  /// Writes the counts by liveness, each liveness apart: only the first two lines are work.
  mutating func writeLiveness(_ image: ImageResult) {
    heading("By presence in the guest")
    let columns: [(Disposition, Int)] = [
      (.replace, 9), (.silent, 9), (.emulated, 10), (.native, 9), (.unreachable, 13),
    ]
    var header = "".padded(16)
    for (disposition, column) in columns { header += disposition.rawValue.paddedLeft(column) }
    out.line("  " + styled(header + "total".paddedLeft(9), .faint))
    for liveness in [Liveness.always, .featureGated, .nativeOnly] {
      let group = image.findings.filter { $0.liveness == liveness }
      guard !group.isEmpty else { continue }
      var line = liveness.label.padded(16)
      for (disposition, column) in columns {
        let count = group.count { $0.disposition == disposition }
        line += (count == 0 ? "-" : grouped(count)).paddedLeft(column)
      }
      out.line("  " + line + grouped(group.count).paddedLeft(9))
    }
  }

  /// Writes each rule that asks something of a porter, with what takes its place.
  mutating func writeRules(_ image: ImageResult) {
    let rows = ruleGroups(of: image.findings.filter { $0.need > .nothing })
    guard !rows.isEmpty else { return }
    heading("By rule")
    let name = min(max(4, rows.map(\.rule.count).max() ?? 4), 28)
    out.line(
      "  "
        + styled(
          "findings  " + "becomes".padded(10) + "rule".padded(name + 2) + "write instead", .faint))
    let margin = 2 + 10 + 10 + name + 2
    for row in rows {
      let count = grouped(row.findings.count).paddedLeft(8)
      let becomes = styled(row.need.label.padded(10), .need(row.need))
      let lines = printable(row.replacement ?? "-").wrapped(max(20, width - margin))
      let rule = printable(row.rule).fitted(name).padded(name + 2)
      out.line("  \(count)  \(becomes)\(rule)\(lines.first ?? "-")")
      for line in lines.dropFirst() { out.line(String(repeating: " ", count: margin) + line) }
    }
  }

  mutating func writeTally(
    _ title: String, _ image: ImageResult, limit: Int, by name: (Finding) -> String?
  ) {
    let rows = tally(image.findings, by: name)
    guard !rows.isEmpty else { return }
    heading(title)
    let column = min(width - 46, max(24, rows.prefix(limit).map(\.name.count).max() ?? 24))
    let header = "replace".paddedLeft(9) + "silent".paddedLeft(9) + "emulated".paddedLeft(10)
    out.line(
      "  "
        + styled(
          "".padded(column) + header + "nothing".paddedLeft(9) + "total".paddedLeft(7), .faint))
    for row in rows.prefix(limit) {
      out.line("  " + printable(row.name).fittedPath(column).padded(column) + cells(row.counts))
    }
    var rest = NeedCounts()
    for row in rows.dropFirst(limit) { rest.add(row.counts) }
    if rest.total > 0 {
      let title = "\(grouped(rows.count - limit)) more"
      out.line("  " + title.padded(column) + cells(rest))
    }
    let unnamed = image.findings.count - rows.reduce(0) { $0 + $1.counts.total }
    if unnamed > 0 {
      let title = "unknown".padded(column + 9 + 9 + 10 + 9)
      out.line("  " + title + grouped(unnamed).paddedLeft(7))
    }
  }

  /// Writes what the scan could not decode, and what it counts without listing.
  mutating func writeScanTrouble(_ image: ImageResult) {
    let scanned = image.scanned
    if scanned.undecodable > 0 {
      heading("\(counted(scanned.undecodable, "place")) where no instruction could be decoded")
      let limit = options.verbose ? scanned.undecodableAt.count : 10
      for place in scanned.undecodableAt.prefix(limit) {
        var line = "  \(Hex.address(place.address))  \(printable(place.section).padded(18))"
        line += "  " + Hex.bytes(Array(place.bytes.prefix(15))).padded(30)
        if let function = place.function { line += "  " + printable(function) }
        out.line(line.fitted(width))
      }
      let more = scanned.undecodable - min(limit, scanned.undecodableAt.count)
      if more > 0 { out.line("  and \(grouped(more)) more") }
    }
    if !scanned.traps.isEmpty {
      heading("Counted, not listed: a guest's own trap table receives them")
      let traps = scanned.traps.sorted { $0.key < $1.key }
      out.line(
        "  " + traps.map { "\(grouped($0.value)) \(printable($0.key))" }.joined(separator: ", "))
    }
  }

  /// Writes one line per image, where there are several.
  mutating func writeImages() {
    heading("All images")
    let column = width - 44
    let header = "replace".paddedLeft(9) + "silent".paddedLeft(9) + "emulated".paddedLeft(10)
    out.line(
      styled("".padded(column) + header + "nothing".paddedLeft(9) + "total".paddedLeft(7), .faint))
    for image in result.images {
      let path = printable(image.path).fittedPath(column - 1)
      out.line(path.padded(column) + cells(NeedCounts(image.findings)))
    }
  }

  private func cells(_ counts: NeedCounts) -> String {
    var line = ""
    for (need, column) in [
      (PortingNeed.replace, 9), (.silent, 9), (.emulated, 10), (.nothing, 9),
    ] {
      let count = counts[need]
      let text = (count == 0 ? "-" : grouped(count)).paddedLeft(column)
      line += styled(text, count == 0 ? .faint : .need(need))
    }
    return line + grouped(counts.total).paddedLeft(7)
  }
}

extension NeedCounts {
  mutating func add(_ other: NeedCounts) {
    replace += other.replace
    silent += other.silent
    emulated += other.emulated
    nothing += other.nothing
  }
}
