// Findings gathered by rule and by what becomes of them: the unit in which people read a report,
// since the advice is the same for all of a group.

import Audit

/// Findings of one rule with one need and one replacement.
struct RuleGroup {
  var need: PortingNeed
  var rule: String
  var replacement: String?
  var findings: [Finding]
}

/// Groups `findings`, the gravest first, then the largest, then by name; in a group their order stays.
func ruleGroups(of findings: [Finding]) -> [RuleGroup] {
  struct Key: Hashable {
    var need: PortingNeed
    var rule: String
    var replacement: String?
  }
  var groups: [Key: [Finding]] = [:]
  for finding in findings {
    let key = Key(need: finding.need, rule: finding.rule, replacement: finding.replacement)
    groups[key, default: []].append(finding)
  }
  return groups.map { key, findings in
    RuleGroup(
      need: key.need, rule: key.rule, replacement: key.replacement, findings: findings)
  }.sorted { left, right in
    if left.need != right.need { return left.need > right.need }
    if left.findings.count != right.findings.count {
      return left.findings.count > right.findings.count
    }
    if left.rule != right.rule { return left.rule < right.rule }
    return (left.replacement ?? "") < (right.replacement ?? "")
  }
}
