// Whether the port does the same on the other hypervisor.

import Harness

/// Judges two boots, one on each.
struct HypervisorJudgement {
  private static let mostListed = 10

  let own: BootRun
  let other: BootRun
  let port: Port

  func judge(_ check: HypervisorCheck) -> CheckOutcome {
    let there = BootJudgement(run: other, port: port)
    if let reason = there.reasonNotTried { return reason }
    if let reason = BootJudgement(run: own, port: port).reasonNotTried {
      return .skipped("there is nothing to compare it with: \(reason.message)")
    }
    guard let here = own.boot, let found = other.boot else {
      return .skipped("the boot was not tried")
    }
    guard found.verdict == here.verdict else {
      let words =
        "expected \(here.verdict.rawValue) on \(check.kind.rawValue) as on \(port.machine.hypervisor.rawValue)"
      if found.verdict == .crash { return there.crashed(found, words) }
      return .failed("\(words), found \(found.verdict.rawValue)", details: there.lastWords)
    }
    for name in port.checks.map(\.name) where other.seen.lines[name] != nil {
      let lines = there.lines(name, found)
      let before = BootJudgement(run: own, port: port).lines(name, here)
      if lines.status == .failed, before.status == .passed {
        return .failed(
          "\(name), which passes on \(port.machine.hypervisor.rawValue): \(lines.message)",
          details: lines.details)
      }
    }
    guard check.hasSameConsole else { return .passed("\(found.verdict.rawValue) on both") }
    if own.seen.console.isCut || other.seen.console.isCut {
      return .skipped("the console is too long to compare")
    }
    return compare(lines(own, check), lines(other, check), found.verdict, check)
  }

  private func lines(_ run: BootRun, _ check: HypervisorCheck) -> [String] {
    let ignored = check.ignore.map(LineMatcher.init)
    let masks = check.mask.compactMap { pattern in
      pattern.isLiteral ? nil : try? Regex(pattern.text)
    }
    return run.seen.console.lines.compactMap { line in
      if ignored.contains(where: { $0.matches(line) }) { return nil }
      var line = line
      while line.last == "\r" { line.removeLast() }
      for pattern in check.mask where pattern.isLiteral {
        line = line.replacing(pattern.text, with: "…")
      }
      for mask in masks { line = line.replacing(mask, with: "…") }
      return line
    }
  }

  private func compare(
    _ own: [String], _ other: [String], _ verdict: Verdict, _ check: HypervisorCheck
  ) -> CheckOutcome {
    let differences = other.difference(from: own)
    guard
      let index = zip(own, other).enumerated().first(where: { $1.0 != $1.1 })?.offset
        ?? (own.count == other.count ? nil : min(own.count, other.count))
    else { return .passed("\(verdict.rawValue) and the same \(own.count) lines on both") }
    let expected = own.indices.contains(index) ? "`\(own[index])`" : "no more lines"
    let found = other.indices.contains(index) ? "`\(other[index])`" : "no more lines"
    return .failed(
      "expected the same console, found from line \(index + 1) on \(check.kind.rawValue) \(found) in place of \(expected)",
      details: differences.prefix(Self.mostListed).map { change in
        switch change {
        case .insert(let offset, let line, _): "+\(offset + 1): \(line)"
        case .remove(let offset, let line, _): "-\(offset + 1): \(line)"
        }
      })
  }
}
