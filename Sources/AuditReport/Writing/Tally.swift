// Counts by directory, function and rule, as the text, Markdown and HTML reports show them.

import Audit

/// How many findings of each need a heading gathers.
struct NeedCounts: Equatable {
  var replace = 0
  var silent = 0
  var emulated = 0
  var nothing = 0

  var total: Int { replace + silent + emulated + nothing }
  /// Those that ask something of a porter.
  var needed: Int { replace + silent + emulated }

  /// The gravest need among those counted.
  var worst: PortingNeed {
    if replace > 0 { return .replace }
    if silent > 0 { return .silent }
    return emulated > 0 ? .emulated : .nothing
  }

  mutating func add(_ need: PortingNeed) {
    switch need {
    case .replace: replace += 1
    case .silent: silent += 1
    case .emulated: emulated += 1
    case .nothing: nothing += 1
    }
  }

  subscript(need: PortingNeed) -> Int {
    switch need {
    case .replace: replace
    case .silent: silent
    case .emulated: emulated
    case .nothing: nothing
    }
  }

  init() {}

  init(_ findings: [Finding]) {
    for finding in findings { add(finding.need) }
  }
}

/// One heading and its counts.
struct TallyRow: Equatable {
  var name: String
  var counts: NeedCounts
}

/// Counts `findings` under the name that `name` gives each; what it gives no name is left out.
///
/// The rows that ask the most of a porter come first; equals are in order of name.
func tally(_ findings: [Finding], by name: (Finding) -> String?) -> [TallyRow] {
  var counts: [String: NeedCounts] = [:]
  for finding in findings {
    guard let key = name(finding) else { continue }
    counts[key, default: NeedCounts()].add(finding.need)
  }
  return counts.map { TallyRow(name: $0.key, counts: $0.value) }.sorted { left, right in
    let (a, b) = (left.counts, right.counts)
    if a.needed != b.needed { return a.needed > b.needed }
    if a.total != b.total { return a.total > b.total }
    return left.name < right.name
  }
}

extension Finding {
  /// The directory of the innermost source file; for replacement code, of the first place that it is patched into.
  var directory: String? {
    sourcePlace.map { directoryName($0.file) }
  }

  /// The function to show: the one that holds the code, else the first that it is patched into.
  var shownFunction: String? {
    function ?? sites.first { $0.function != nil }?.function
  }

  /// The innermost source line, or that of the first place that replacement code is patched into.
  var sourcePlace: (file: String, line: Int)? {
    if let place { return place }
    for site in sites {
      if let file = site.file, let line = site.line { return (file, line) }
    }
    return nil
  }
}

/// The directory of a file.
func directoryName(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last component of a path.
func baseName(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return path }
  let name = path[path.index(after: slash)...]
  return name.isEmpty ? path : String(name)
}
