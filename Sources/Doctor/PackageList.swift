// Debian's packages for the Makefile's targets: the list that .ci/setup reads as well.

/// A target of the Makefile that needs packages.
public enum Goal: String, Sendable, CaseIterable {
  case build
  case demo
  case test
  case bench
  case iso

  /// How one calls it.
  var target: String { self == .build ? "make" : "make \(rawValue)" }
}

/// The packages of goals.
public struct PackageList: Sendable {
  /// Names of packages by goal, in the list's order.
  private let packages: [Goal: [String]]

  /// Reads a list: a package a line, then its goals.
  init(_ text: String) {
    var packages: [Goal: [String]] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      for goal in Goal.allCases
      where words.dropFirst().contains(where: { $0 == goal.rawValue || $0 == "all" }) {
        packages[goal, default: []].append(String(words[0]))
      }
    }
    self.packages = packages
  }

  /// This kit's.
  public static let builtin = PackageList(
    String(decoding: PackageResources.packages_txt, as: UTF8.self))

  /// The packages of `goal`.
  public func names(for goal: Goal) -> [String] { packages[goal] ?? [] }
}
