// The verdict: which findings make `--fail-on` answer "bad".

/// What makes an audit fail.
public enum GateLevel: String, Sendable, CaseIterable, Codable {
  /// Nothing: the audit informs.
  case never
  /// A finding that the baseline does not have.
  case new
  /// An instruction that gives a wrong result and says nothing.
  case silent
  /// An instruction that kills the guest.
  case replace
  /// Any finding at all.
  case any

  /// Whether `finding` fails this gate.
  ///
  /// What a suppression covers never does. Under `silent` and `replace` only code that a guest can
  /// reach counts (see ``PortingNeed``).
  public func fails(_ finding: Finding) -> Bool {
    guard finding.suppression == nil else { return false }
    switch self {
    case .never: return false
    case .new: return finding.baselineState == .new
    case .silent: return finding.need == .silent
    case .replace: return finding.need == .replace
    case .any: return true
    }
  }
}

/// Whether `result` passes the gate: true is good.
public func verdict(_ result: AuditResult, _ level: GateLevel) -> Bool {
  !result.images.contains { $0.findings.contains(where: level.fails) }
}
