// The map: which paths of the port came from which of the base, which section a path belongs to,
// and what the base is that the port is measured by.

/// How a port is read.
public struct EffortMap: Sendable {
  /// Names of the rows of the paper's table, in its order.
  public static let paperSections = [
    "Architecture-independent", "Virtual network driver", "Virtual block-device driver",
    "Xen-specific (non-driver)",
  ]
  /// Other sections that the built-in map knows, outside the total.
  public static let otherSections = ["console", "build", "backends", "tests", "docs", "excluded"]
  /// Where files go that no rule takes.
  public static let unplaced = "unplaced"

  /// A rule: paths that belong to a section.
  public struct Rule: Sendable {
    public var name: String
    public var match: [Glob]
    /// Whether the section is part of the total.
    public var isCounted: Bool
    public var why: String?

    public init(_ name: String, _ match: [Glob], counted: Bool, why: String? = nil) {
      self.name = name
      self.match = match
      isCounted = counted
      self.why = why
    }
  }

  /// Port path to base path, files or folders.
  public struct PathPair: Sendable, Equatable {
    public var port: String
    public var base: String
  }

  public var paths: [PathPair] = []
  public var sections: [Rule] = []
  public var include: [Glob] = []
  public var exclude: [Glob] = []
  /// Whether clones are guessed and rules of the built-in map hold.
  public var isBuiltIn = false

  /// Where a file belongs.
  public struct Placement: Sendable {
    public var section: String
    public var isCounted: Bool
    public var why: String?
    /// A pattern that every path matches took it, or none.
    public var isCatchAll: Bool
  }

  /// The section of `path`: the first rule that matches.
  public func place(_ path: String) -> Placement {
    for rule in sections {
      for glob in rule.match where glob.matches(path) {
        return Placement(
          section: rule.name, isCounted: rule.isCounted, why: rule.why ?? "matches \(glob.text)",
          isCatchAll: glob.isCatchAll)
      }
    }
    return Placement(
      section: Self.unplaced, isCounted: false, why: "no rule matches", isCatchAll: true)
  }

  /// The base path that the map gives to a path of the port; the longest prefix wins.
  public func basePath(of path: String) -> String? {
    var best: PathPair?
    for pair in paths where path == pair.port || path.hasPrefix(pair.port + "/") {
      if best.map({ $0.port.utf8.count < pair.port.utf8.count }) ?? true { best = pair }
    }
    guard let best else { return nil }
    let rest = path.dropFirst(best.port.count)
    return best.base.isEmpty ? String(rest.drop { $0 == "/" }) : best.base + rest
  }

  /// Whether a path of the base is part of the denominator.
  public func isInDenominator(_ path: String) -> Bool {
    include.contains { $0.matches(path) } && !exclude.contains { $0.matches(path) }
  }
}
