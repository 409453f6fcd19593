// Whether a guest survived a backend that misbehaved.

import ControlFaults
import Harness

/// Judges one boot with one fault.
struct FaultJudgement {
  let run: BootRun
  let port: Port
  let check: Check
  /// As it was injected, with its numbers.
  let fault: String

  /// The guest neither crashed nor hung, said what it was to say, ended no grant in use, and the fault
  /// struck.
  func judge() -> CheckOutcome {
    let base = BootJudgement(run: run, port: port)
    if let reason = base.reasonNotTried { return reason }
    guard let boot = run.boot else { return .skipped("the boot was not tried") }
    let name = fault.split(separator: ":").prefix(2).joined(separator: ":")
    if boot.verdict == .crash {
      return base.crashed(boot, "expected a guest that survives \(name)")
    }
    let strikes = run.seen.strikes[name] ?? 0
    let lines = base.lines(check.name, boot)
    if run.awaitedEnd, boot.verdict == .timeout {
      let limit = BootJudgement.text((run.request.timeout ?? .zero) / .seconds(1))
      return base.stillRunning(
        "expected a guest that survives \(name) and ends in \(limit), found it still running", boot)
    }
    if lines.status == .failed {
      return .failed("with \(name): \(lines.message)", details: lines.details, places: lines.places)
    }
    if let torn = boot.grants.last(where: { $0.domain == base.subject }).flatMap(
      GrantJudgement.torn)
    {
      return .failed("with \(name): \(torn.message)", places: torn.places)
    }
    guard strikes > 0 else {
      return .failed(
        "expected \(name) to strike, found that the guest made too few requests for it",
        details: ["with `:every=1` it strikes at the first"])
    }
    return .passed(
      "\(name) struck, \(boot.verdict.rawValue) after \(BootJudgement.text(boot.times.total))")
  }
}
