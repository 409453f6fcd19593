// Whether a privileged instruction is left: by Rootstock's record of what it emulated, or by its end of
// a guest that runs under the strict policy.

import Audit
import AuditReport
import Harness

/// Judges by the record of traps.
struct TrapJudgement {
  private static let mostListed = 20

  let run: BootRun
  let boot: BootResult

  /// Whether nothing trapped but what `allow` accepts.
  func judge(_ allow: [AllowedTrap]) -> CheckOutcome {
    guard run.request.hypervisor == .rootstock else {
      return .skipped("stock Xen keeps no record of what it emulates")
    }
    let log = run.seen.log.lines
    if run.request.policy == .strict {
      guard log.contains(where: { $0.contains(": strict: ") }) else {
        return .passed("nothing trapped under the strict policy")
      }
      return .failed(
        "expected no privileged instruction, found one\(place(boot.crash?.place))",
        details: boot.crash?.lines ?? [],
        places: [boot.crash?.place].compactMap(\.self).map(CheckPlace.init))
    }
    // The record is printed when the domain ends.
    guard boot.verdict != .timeout, boot.verdict != .expected else {
      return .skipped("the guest did not end, so that there is no record of what trapped")
    }
    let left = boot.traps.filter { trap in !allow.contains { $0.covers(trap) } }
    guard let worst = left.first else {
      return .passed(
        boot.traps.isEmpty
          ? "nothing trapped" : "nothing trapped but \(counted(boot.traps.count, "accepted place"))"
      )
    }
    return .failed(
      "expected no privileged instruction, found \(counted(left.count, "place")); most often \(worst.rule), "
        + "\(counted(Int(clamping: worst.count), "time"))\(place(worst.place))",
      details: left.prefix(Self.mostListed).map {
        "\($0.rule), \(counted(Int(clamping: $0.count), "time"))\(place($0.place))"
      },
      places: left.prefix(Self.mostListed).map { CheckPlace($0.place) })
  }

  private func place(_ place: CodePlace?) -> String { place.map { " at \($0)" } ?? "" }
}

extension AllowedTrap {
  /// Whether it accepts a trap.
  func covers(_ trap: TrapRecord) -> Bool {
    func matches(_ pattern: String?, _ text: String?) -> Bool {
      guard let pattern else { return true }
      return text.map { Glob(pattern).matches($0) } ?? false
    }
    return matches(rule, trap.rule) && matches(function, trap.place.function)
      && matches(file, trap.place.file) && (most.map { trap.count <= UInt64($0) } ?? true)
  }
}
