// The findings one by one, gathered by need and rule, so that the advice is printed once and a
// reader can stop after what kills the guest.

import Audit

extension TextReport {
  mutating func writeDetails(_ image: ImageResult) {
    let shown = image.findings.filter {
      options.verbose || ($0.need > .nothing && $0.suppression == nil)
    }
    var need: PortingNeed?
    for group in ruleGroups(of: shown) {
      if group.need != need {
        need = group.need
        let count = shown.count { $0.need == group.need }
        out.line()
        let title = "\(group.need.title): \(counted(count, "finding"))"
        out.line(styled(title, .need(group.need)))
      }
      writeGroup(group)
    }
    let hidden = image.findings.count - shown.count
    if hidden > 0 {
      out.line()
      out.line(
        "\(counted(hidden, "finding")) that \(hidden == 1 ? "asks" : "ask") nothing of a port or "
          + "\(hidden == 1 ? "is" : "are") suppressed: add --verbose to list.")
    }
  }

  private mutating func writeGroup(_ group: RuleGroup) {
    let rule = result.rules[group.rule]
    out.line()
    let title = rule.map { ": " + $0.title } ?? ""
    let count = counted(group.findings.count, "finding")
    out.line("  " + styled(printable(group.rule + title), .heading) + " (\(count))")
    if let why = rule?.outcomes[result.target]?.why { paragraph(why, indent: 4) }
    if let replacement = group.replacement { paragraph("write: \(replacement)", indent: 4) }
    if let guide = group.findings.first?.guide { paragraph("guide: \(guide)", indent: 4) }
    for finding in group.findings { write(finding) }
  }

  private mutating func write(_ finding: Finding) {
    let column = width < 100 ? 24 : 32
    var first = "    \(Hex.address(finding.address))  "
    first += printable(finding.instruction).fitted(column).padded(column)
    var holder = printable(finding.function ?? "in \(finding.section)")
    if finding.function != nil, let offset = finding.offset {
      holder += "+0x" + String(offset, radix: 16)
    }
    out.line(first + "  " + holder.fitted(max(20, width - 26 - column)))
    var second =
      String(repeating: " ", count: 24) + Hex.bytes(finding.bytes).fitted(column).padded(column + 2)
    if let place = finding.place {
      let line = ":\(place.line)"
      second += printable(place.file).fittedPath(max(20, width - 26 - column - line.count)) + line
    }
    out.line(styled(second.trimmedRight, .faint))
    writeTags(of: finding)
    if options.verbose, finding.inlined.count > 1 || finding.place == nil {
      for frame in finding.inlined { writeFrame(frame) }
    }
    writeSites(of: finding)
  }

  private mutating func writeTags(of finding: Finding) {
    var tags = finding.context.map(\.rawValue)
    if finding.liveness != .always { tags.append(finding.liveness.rawValue) }
    if finding.need == .nothing, finding.liveness != .nativeOnly {
      tags.append(finding.disposition.rawValue)
    }
    if finding.baselineState == .new { tags.append("new") }
    if let text = finding.profileText { tags.append(text) }
    if let reason = finding.suppression { tags.append("suppressed: \(reason)") }
    guard !tags.isEmpty else { return }
    paragraph("[" + tags.joined(separator: ", ") + "]", indent: 24)
  }

  private mutating func writeFrame(_ frame: Frame) {
    var line = String(repeating: " ", count: 24) + "in " + printable(frame.function)
    if let file = frame.file, let number = frame.line { line += "  \(printable(file)):\(number)" }
    out.line(line.fitted(width))
  }

  private mutating func writeSites(of finding: Finding) {
    let limit = options.verbose ? finding.sites.count : 2
    for site in finding.sites.prefix(limit) {
      var line = String(repeating: " ", count: 24) + "into "
      line += site.function.map(printable) ?? Hex.address(site.address)
      if let file = site.file, let number = site.line { line += "  \(printable(file)):\(number)" }
      line += " if " + printable(site.feature)
      out.line(line.fitted(width))
    }
    if finding.sites.count > limit {
      let more = counted(finding.sites.count - limit, "more place")
      out.line(String(repeating: " ", count: 24) + "and into \(more)")
    }
  }
}

extension String {
  fileprivate var trimmedRight: String {
    var copy = self
    while copy.last == " " { copy.removeLast() }
    return copy
  }
}
