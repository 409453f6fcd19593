// What a boot says about each of the checks that it served.

import Foundation
import Harness

/// Judges checks by one boot.
struct BootJudgement {
  /// Lines from the end in which a guest's own words for its end are looked for.
  private static let lastLines = 8

  let run: BootRun
  let port: Port

  /// How a check ended.
  func judge(_ check: Check) -> CheckOutcome {
    if let reason = reasonNotTried { return reason }
    guard let boot = run.boot else { return .skipped("the boot was not tried") }
    switch check.body {
    case .boots(let within): return boots(boot, within)
    case .console: return lines(check.name, boot)
    case .powersOff(let end): return ends(boot, end)
    case .block: return block(check.name, boot)
    case .network: return run.answers[check.name] ?? .skipped("it was not asked")
    case .time(let time): return self.time(check.name, time)
    case .strict(let allow): return TrapJudgement(run: run, boot: boot).judge(allow)
    case .order: return OrderJudgement(run: run, boot: boot, subject: subject).judge()
    case .grants(let most):
      return GrantJudgement(run: run, boot: boot, subject: subject).judge(most)
    default: return .skipped("a boot says nothing of it")
    }
  }

  /// What a boot that could not be tried means for its checks; `nil` where it was.
  var reasonNotTried: CheckOutcome? {
    switch run.preparation {
    case .input(let path, let found): return .skipped("\(path.text): \(found)")
    case .machine(let what): return .skipped("this machine lacks \(what)")
    case nil: break
    }
    guard case .failure(let error) = run.result else { return nil }
    switch error {
    case .emulator(let message):
      let words = message.isEmpty ? "it said nothing" : message
      return .failed("expected a machine that starts, found that QEMU ended at once: \(words)")
    case .input, .missing, .save: return .skipped("\(error)")
    }
  }

  private func boots(_ boot: BootResult, _ within: Double?) -> CheckOutcome {
    if boot.verdict == .crash { return crashed(boot, "expected a guest that boots") }
    guard let first = run.seen.firstOutput else {
      return .failed("expected output of the guest in \(Self.text(boot.times.total)), found none")
    }
    // The guest's own time begins when its domain 0 can serve it.
    let own = first - (boot.times.domain0 ?? 0)
    if let within, own > within {
      return .failed("expected output in \(Self.text(within)), found it after \(Self.text(own))")
    }
    return .passed("first output after \(Self.text(own))")
  }

  /// A crash, with what it kept from happening.
  func crashed(_ boot: BootResult, _ expected: String) -> CheckOutcome {
    let reason = boot.crash?.reason ?? "no reason is known"
    if let place = boot.crash?.place {
      return .failed(
        "\(expected), found a crash: \(reason) at \(place)", details: boot.crash?.lines ?? [],
        places: [CheckPlace(place)])
    }
    var named = run.consolePlaces.first.map { "; its console names \($0)" } ?? ""
    let lines = run.seen.console.lines.suffix(Self.lastLines)
    let texts = ConsoleText.places(in: lines, kernel: run.request.kernel)
    if let place = texts.first { named += "; its last words are of \(place)" }
    return .failed(
      "\(expected), found a crash: \(reason)\(named)",
      details: lastWords + run.consolePlaces.map { "on its console: \($0)" }
        + texts.map { "its last words: \($0)" },
      places: (run.consolePlaces + texts).map(CheckPlace.init))
  }

  private func ends(_ boot: BootResult, _ end: GuestEnd) -> CheckOutcome {
    if boot.verdict == end.verdict {
      return .passed("\(end.rawValue) after \(Self.text(boot.times.total))")
    }
    switch boot.verdict {
    case .crash: return crashed(boot, "expected a guest that ends by \(end.rawValue)")
    case .timeout:
      return stillRunning(
        "expected \(end.rawValue) in \(Self.text(limit)), found the guest still running", boot)
    default: return .failed("expected \(end.rawValue), found \(boot.verdict.rawValue)")
    }
  }

  /// The guest's number: with devices domain 0 is the control domain's.
  var subject: Int { port.machine.disks.isEmpty && !port.machine.hasNetwork ? 0 : 1 }

  private var limit: Double { (run.request.timeout ?? .zero) / .seconds(1) }

  /// A guest that hangs, and where.
  func stillRunning(_ words: String, _ boot: BootResult) -> CheckOutcome {
    let place = boot.vcpus.first.map { ", vcpu \($0.vcpu) \($0.state) at \($0.telling)" } ?? ""
    return .failed(
      words + place,
      details: boot.vcpus.flatMap(\.lines) + lastWords,
      places: boot.vcpus.map { CheckPlace($0.telling) })
  }

  /// The last lines of the console, for what hangs.
  var lastWords: [String] {
    let lines = run.seen.console.lines.suffix(3)
    return lines.isEmpty ? ["the console is empty"] : ["its last lines:"] + lines.map { "  " + $0 }
  }

  /// Whether a check's lines have come.
  func lines(_ name: String, _ boot: BootResult) -> CheckOutcome {
    guard let result = run.seen.lines[name] else { return .passed("no lines are asked for") }
    let words = LineWords(result: result, lineCount: run.seen.lineCount)
    if let (line, pattern) = result.forbidden {
      let places = ConsoleText.places(in: CollectionOfOne(line.text), kernel: run.request.kernel)
      return .failed(
        "expected no line with `\(pattern.text)`, found line \(line.number): \(line.text)"
          + (places.first.map { ", a text of \($0)" } ?? ""),
        details: places.map { "the text is named by \($0)" }, places: places.map(CheckPlace.init))
    }
    if result.isSatisfied { return .passed(words.success) }
    let missing = words.missing(patterns(of: name))
    switch boot.verdict {
    case .crash: return crashed(boot, missing + " before its end")
    case .timeout: return stillRunning(missing + "; the guest is still running", boot)
    default: return .failed(missing, details: lastWords)
    }
  }

  private func patterns(of name: String) -> [LinePattern] {
    for check in port.checks where check.name == name {
      switch check.body {
      case .console(let console): return console.lines
      case .block(let block): return block.lines
      case .faults(let faults), .restart(let faults): return faults.lines
      default: return []
      }
    }
    return []
  }

  private func block(_ name: String, _ boot: BootResult) -> CheckOutcome {
    let told = lines(name, boot)
    if told.status == .failed { return told }
    if let difference = run.differences[name] { return .failed("expected a disk \(difference)") }
    let hasLines = run.seen.lines[name].map { !$0.met.isEmpty } ?? false
    let hasBytes = port.checks.contains { check in
      guard check.name == name, case .block(let block) = check.body else { return false }
      return block.looksAtBytes
    }
    if !hasBytes { return told }
    return .passed("the disk is as it should be" + (hasLines ? ", \(told.message)" : ""))
  }

  private func time(_ name: String, _ check: TimeCheck) -> CheckOutcome {
    let seen = run.seen.times[name] ?? TimeObservation()
    if let (before, behind) = seen.fall {
      return .failed(
        "expected time that grows, found \(behind.guest) s on line \(behind.line) behind "
          + "\(before.guest) s on line \(before.line)")
    }
    guard seen.count >= check.samples, let first = seen.first, let last = seen.last else {
      return .failed(
        "expected \(check.samples) lines with `\(check.pattern)`, found \(seen.count)",
        details: lastWords)
    }
    let (guest, host) = (last.guest - first.guest, last.host - first.host)
    let both = "\(Self.text(guest)) of the guest's in \(Self.text(host)) of this machine's"
    guard let tolerance = check.tolerance else {
      return .passed("\(seen.count) numbers that grow; \(both)")
    }
    // Below, what counts is when a line came through and not when it was printed.
    guard host >= 0.2 else { return .skipped("too short to compare: \(both)") }
    guard abs(guest / host - 1) <= tolerance else {
      return .failed(
        "expected time within \(Int(tolerance * 100)) % of this machine's, found \(both)")
    }
    return .passed(both)
  }

  /// Seconds with two decimals.
  static func text(_ seconds: Double) -> String {
    let hundredths = Int((seconds * 100).rounded())
    let sign = hundredths < 0 ? "-" : ""
    let fraction = String(abs(hundredths) % 100)
    return "\(sign)\(abs(hundredths) / 100)." + (fraction.utf8.count == 1 ? "0" : "")
      + "\(fraction) s"
  }
}
