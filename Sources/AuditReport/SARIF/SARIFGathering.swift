// What becomes of findings when there are more than a code-scanning service shows: those of one
// rule in one function become one result, which counts them.

import Audit

/// The results of a SARIF run, in order.
struct SARIFGathering {
  /// One result: a finding, and the others that it stands for.
  struct Entry {
    var image: Int
    var finding: Finding
    /// The first of the others, for related locations.
    var others: [Finding] = []
    /// How many findings the result stands for.
    var count = 1
    var fingerprint: String
  }

  var entries: [Entry] = []
  var isGathered = false
  /// What the run says about the gathering.
  var note = ""
  /// Places of gathered findings that a result lists.
  static let listed = 20

  init(_ result: AuditResult) {
    let total = result.images.reduce(0) { $0 + $1.findings.count }
    for (index, image) in result.images.enumerated() {
      for finding in image.findings {
        entries.append(Entry(image: index, finding: finding, fingerprint: finding.fingerprint))
      }
    }
    guard total > SARIFReport.shown else { return }
    gather(result)
    isGathered = true
    note = "\(grouped(total)) findings are gathered by rule and function into "
    note += counted(entries.count, "result")
    if entries.count > SARIFReport.taken {
      keepGravest()
      note += ", of which the gravest \(grouped(SARIFReport.taken)) are listed"
    }
  }

  private mutating func gather(_ result: AuditResult) {
    struct Key: Hashable {
      var image: Int
      var rule: String
      var function: String
      var need: PortingNeed
      var state: BaselineState?
      var suppression: String?
    }
    var places: [Key: Int] = [:]
    var gathered: [Entry] = []
    for entry in entries {
      let finding = entry.finding
      let key = Key(
        image: entry.image, rule: finding.rule,
        function: finding.shownFunction ?? "section " + finding.section, need: finding.need,
        state: finding.baselineState, suppression: finding.suppression)
      if let place = places[key] {
        gathered[place].count += 1
        if gathered[place].others.count < Self.listed { gathered[place].others.append(finding) }
        continue
      }
      places[key] = gathered.count
      var hash = StableHash()
      for part in [baseName(result.images[key.image].path), key.rule, key.function] {
        hash.feed(part)
      }
      hash.feed(key.need.label)
      var first = entry
      first.fingerprint = hash.hex
      gathered.append(first)
    }
    entries = gathered
  }

  private mutating func keepGravest() {
    let order = entries.indices.sorted { left, right in
      let (a, b) = (entries[left].finding.need, entries[right].finding.need)
      return a == b ? left < right : a > b
    }
    entries = order.prefix(SARIFReport.taken).sorted().map { entries[$0] }
  }
}
