// The counts at the head of every output. Every finding is counted once under each heading, by its
// first context too; `byContext` counts a finding under each of its contexts.

/// Counts of findings by each property that people ask for.
public struct Summary: Sendable {
  public var findings = 0
  public var byClass: [String: Int] = [:]
  public var byDisposition: [String: Int] = [:]
  public var byRule: [String: Int] = [:]
  public var bySection: [String: Int] = [:]
  public var byContext: [String: Int] = [:]
  public var byLiveness: [String: Int] = [:]
  public var suppressed = 0
  public var new = 0

  /// Counts `findings`; suppressed ones are counted everywhere and once more under ``suppressed``.
  public init(_ findings: [Finding]) {
    self.findings = findings.count
    for finding in findings {
      byClass[finding.ruleClass.rawValue, default: 0] += 1
      byDisposition[finding.disposition.rawValue, default: 0] += 1
      byRule[finding.rule, default: 0] += 1
      bySection[finding.section, default: 0] += 1
      for context in finding.context { byContext[context.rawValue, default: 0] += 1 }
      byLiveness[finding.liveness.rawValue, default: 0] += 1
      if finding.suppression != nil { suppressed += 1 }
      if finding.baselineState == .new { new += 1 }
    }
  }
}
