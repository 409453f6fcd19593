// The trap profile in numbers, and in words for one finding.

import Audit

/// How many findings, of those that ask something of a port, had which end in a traced run.
struct ProfileTally {
  private var counts: [TrapProfile: Int] = [:]
  private var unknown = 0

  init(_ findings: [Finding]) {
    for finding in findings where finding.need > .nothing {
      if let profile = finding.profile {
        counts[profile, default: 0] += 1
      } else {
        unknown += 1
      }
    }
  }

  /// There was a trace.
  var isTraced: Bool { !counts.isEmpty }

  /// A line for each.
  var rows: [(count: Int, text: String)] {
    var rows = TrapProfile.allCases.map { (counts[$0] ?? 0, $0.title) }
    if unknown > 0 { rows.append((unknown, "not emulated and not watched: nobody knows")) }
    return rows
  }
}

extension Finding {
  /// `ran and emulated, 12 times`; `nil` without a trace that can tell.
  var profileText: String? {
    guard let profile else { return nil }
    guard profile == .emulated, let executed else { return profile.title }
    return "\(profile.title), \(executed == 1 ? "once" : "\(grouped(executed)) times")"
  }
}
