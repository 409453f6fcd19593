// Findings that somebody has judged and taken out of the gate, each with the reason.
// SuppressionFile.swift reads them.

/// One entry of a suppression file.
public struct Suppression: Sendable, Equatable {
  /// Pattern for the rule's identifier.
  public var rule: String?
  /// Pattern for the function, an inlined function, or a function that the code is patched into.
  public var function: String?
  /// Pattern for any source file of the finding.
  public var file: String?
  /// Pattern for the section.
  public var section: String?
  /// Pattern for the instruction's text.
  public var instruction: String?
  /// Why the finding is no fault.
  public var reason: String
  /// The last day on which the entry counts, `YYYY-MM-DD`.
  public var expires: String?
  /// Where the entry stands in its file.
  public var line: Int

  public init(reason: String, line: Int) {
    self.reason = reason
    self.line = line
  }

  /// Whether the entry has run out on `today` (`YYYY-MM-DD`).
  public func isExpired(today: String) -> Bool {
    guard let expires else { return false }
    return expires < today
  }

  /// The patterns, compiled once for all findings.
  fileprivate struct Matcher {
    var rule: Glob?
    var function: Glob?
    var file: Glob?
    var section: Glob?
    var instruction: Glob?

    init(_ entry: Suppression) {
      rule = entry.rule.map(Glob.init)
      function = entry.function.map(Glob.init)
      file = entry.file.map(Glob.init)
      section = entry.section.map(Glob.init)
      instruction = entry.instruction.map(Glob.init)
    }

    func matches(_ finding: Finding) -> Bool {
      if let rule, !rule.matches(finding.rule) { return false }
      if let section, !section.matches(finding.section) { return false }
      if let instruction, !instruction.matches(finding.instruction) { return false }
      if let function {
        let names =
          [finding.function].compactMap(\.self) + finding.inlined.map(\.function)
          + finding.sites.compactMap(\.function)
        if !names.contains(where: function.matches) { return false }
      }
      if let file {
        let files =
          [finding.file].compactMap(\.self) + finding.inlined.compactMap(\.file)
          + finding.sites.compactMap(\.file)
        if !files.contains(where: file.matches) { return false }
      }
      return true
    }
  }
}

/// What became of a file's suppressions.
public struct SuppressionReport: Sendable, Equatable {
  /// Entries that cover no finding: the code is gone, or the pattern is wrong.
  public var unused: [Suppression] = []
  /// Entries that have run out and count no more.
  public var expired: [Suppression] = []
}

extension AuditResult {
  /// Marks the findings that `suppressions` cover, each with the first entry that does.
  public mutating func apply(_ suppressions: [Suppression], today: String) -> SuppressionReport {
    var report = SuppressionReport()
    report.expired = suppressions.filter { $0.isExpired(today: today) }
    let live = suppressions.filter { !$0.isExpired(today: today) }
    let matchers = live.map(Suppression.Matcher.init)
    var used = live.map { _ in false }
    for image in images.indices {
      for index in images[image].findings.indices {
        let finding = images[image].findings[index]
        for (entry, matcher) in matchers.enumerated() where matcher.matches(finding) {
          used[entry] = true
          if images[image].findings[index].suppression == nil {
            images[image].findings[index].suppression = live[entry].reason
          }
        }
      }
    }
    report.unused = zip(live, used).filter { !$0.1 }.map(\.0)
    return report
  }
}
