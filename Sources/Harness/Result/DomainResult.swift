// How each domain of a run ended.

/// One domain and its end.
public struct DomainResult: Sendable, Equatable {
  /// The domain's number.
  public var id: Int
  /// Path of its kernel.
  public var kernel: String
  /// How it ended; `nil` where the run was over before it was.
  public var verdict: Verdict?
  /// Why, in the hypervisor's words; `nil` where it said nothing.
  public var reason: String?
}

extension Verdict {
  /// How far an end is from the one that everybody hopes for.
  fileprivate var badness: Int {
    switch self {
    case .poweroff: 0
    case .expected: 1
    case .suspended: 2
    case .reboot: 3
    case .timeout: 4
    case .crash: 5
    }
  }
}

extension Sequence<DomainResult> {
  /// The domain that ended worst, the first of several.
  var worst: DomainResult? {
    // `max` gives the last of equals.
    reversed().max { ($0.verdict?.badness ?? 0) < ($1.verdict?.badness ?? 0) }
  }
}
