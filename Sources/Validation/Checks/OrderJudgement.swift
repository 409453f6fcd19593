// Whether a guest uses the memory that it shares in the order that the ABI wants: by Rootstock's watch,
// which shows what a run shows by chance alone.

import AuditReport
import Harness

/// Judges by the places at which the order was wrong.
struct OrderJudgement {
  private static let mostListed = 20

  let run: BootRun
  let boot: BootResult
  /// Whose order it is.
  let subject: Int

  /// Whether it was right everywhere.
  func judge() -> CheckOutcome {
    guard run.request.hypervisor == .rootstock else {
      return .skipped("stock Xen does not watch the order")
    }
    guard let slips = boot.slips else {
      return .skipped("the guest did not end, so that there is no record of the order")
    }
    guard let first = slips.first else {
      guard !watched.isEmpty else {
        return .skipped("the guest did nothing that has an order, once it had events")
      }
      return .passed("nothing in the wrong order of \(watched)")
    }
    return .failed(
      "expected \(Self.rule(first.rule)), found none at \(first.place)"
        + (slips.count > 1 ? ", the first of \(counted(slips.count, "place"))" : ""),
      details: slips.prefix(Self.mostListed).map {
        "\($0.rule), \(counted(Int(clamping: $0.count), "time")) at \($0.place)"
      },
      places: slips.prefix(Self.mostListed).map { CheckPlace($0.place) })
  }

  /// What was looked at; how often differs from run to run.
  private var watched: String {
    let names = [
      ("unmasked", "unmasking"), ("time", "reading the time"),
      ("published", "publishing requests"), ("wished", "waiting for responses"),
    ]
    let line = run.seen.log.lines.last {
      $0.contains(": order-watched: domain=\(subject) ")
    }
    let words = line?.split(separator: " ") ?? []
    return names.compactMap { field, name -> String? in
      guard let word = words.first(where: { $0.hasPrefix(field + "=") }),
        let count = Int(word.dropFirst(field.count + 1)), count > 0
      else { return nil }
      return name
    }.joined(separator: ", ")
  }

  /// What is expected behind the place.
  private static func rule(_ name: String) -> String {
    switch name {
    case "unmask-without-look":
      "a look at evtchn_upcall_pending after events are unmasked"
    case "time-without-version": "a look at the version after the time is read"
    case "publish-without-barrier": "a barrier between req_prod and the look at req_event"
    case "wish-without-look": "a barrier and a look at rsp_prod after rsp_event is written"
    default: name
    }
  }
}
