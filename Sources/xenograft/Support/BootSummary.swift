// A boot's result in words, for standard error.

import Foundation
import Harness

/// What a person wants to know at the end.
struct BootSummary {
  private let result: BootResult
  private let timeout: Double

  init(_ result: BootResult, timeout: Double) {
    self.result = result
    self.timeout = timeout
  }

  /// The lines; a good end needs none where `isShort`.
  func text(isShort: Bool) -> String {
    var lines: [String] = []
    if let crash = result.crash { lines += crash.lines }
    lines += result.vcpus.flatMap { vcpu in
      vcpu.lines.map { result.copies > 1 ? "domain \(vcpu.domain): \($0)" : $0 }
    }
    lines += domains(isShort: isShort)
    for expectation in result.expectations where !expectation.matched {
      lines.append("expected and not seen: \(expectation.pattern)")
    }
    if !isShort || !result.isGood {
      lines.append("\(verdict) after \(seconds(result.times.total))")
    }
    return lines.map { "xenograft: \($0)\n" }.joined()
  }

  /// The domains that did not just power off, where there are several.
  private func domains(isShort: Bool) -> [String] {
    guard result.domains.count > 1 else { return [] }
    return result.domains.compactMap { domain in
      guard domain.verdict != .poweroff, domain.verdict != nil || !isShort else { return nil }
      let end =
        switch domain.verdict {
        case .timeout: "still running at the end"
        case .some(let verdict): domain.reason ?? verdict.rawValue
        case nil: "cut off by the end of the run"
        }
      return "domain \(domain.id) (\(domain.kernel)): \(end)"
    }
  }

  private var verdict: String {
    switch result.verdict {
    case .poweroff where result.copies > 1: "all \(result.copies) copies of the guest powered off"
    case .poweroff: "the guest powered off"
    case .reboot: "the guest wants a reboot"
    case .crash: "the guest crashed"
    case .timeout: "the guest was still running at the end of its \(seconds(timeout)); ended"
    case .expected: "everything expected was seen"
    case .suspended: "the guest suspended itself"
    }
  }

  private func seconds(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let fraction = String(hundredths % 100)
    return "\(hundredths / 100)." + (fraction.utf8.count == 1 ? "0" : "") + "\(fraction) s"
  }
}
