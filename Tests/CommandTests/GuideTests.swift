// What the guides say exists: files behind links, commands and their options.

import Foundation
import Testing

struct GuideTests {
  /// README, CONTRIBUTING and every guide that is written by hand.
  private static let pages: [String] = {
    let folder = Command.checkout.appending(path: "guides")
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return ["README.md", "CONTRIBUTING.md"]
      + paths.filter { $0.hasSuffix(".md") }.map { "guides/\($0)" }.sorted()
  }()

  private static func text(_ page: String) throws -> String {
    try String(contentsOf: Command.checkout.appending(path: page), encoding: .utf8)
  }

  @Test(arguments: pages)
  func links_leadToFilesAndHeadings(page: String) throws {
    let base = Command.checkout.appending(path: page).deletingLastPathComponent()
    for match in try Self.text(page).matches(of: /\]\(([^)\s]+)\)/) {
      let parts = match.output.1.split(
        separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      guard !parts[0].hasPrefix("http") else { continue }
      let target =
        parts[0].isEmpty
        ? Command.checkout.appending(path: page) : base.appending(path: String(parts[0]))
      #expect(
        FileManager.default.fileExists(atPath: target.path), "\(page): \(match.output.1)")
      if parts.count > 1, target.pathExtension == "md" {
        let headings = try String(contentsOf: target, encoding: .utf8)
          .split(separator: "\n").filter { $0.hasPrefix("#") }.map(Self.anchor)
        #expect(headings.contains(String(parts[1])), "\(page): \(match.output.1)")
      }
    }
  }

  /// A heading as links name it.
  private static func anchor(_ heading: Substring) -> String {
    heading.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
      .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == " " }
      .replacing(" ", with: "-")
  }

  /// Options of commands by `audit`, `abi show` and so on, out of their help.
  private static let options: [String: Set<String>] = {
    var options: [String: Set<String>] = [:]
    func read(_ words: [String]) {
      guard let help = try? Command.run(words + ["--help"]).text else { return }
      options[words.joined(separator: " ")] = Set(
        help.matches(of: /(--[a-z-]+)/).map { String($0.output.1) })
      let list = help.split(separator: "\n").drop { $0 != "SUBCOMMANDS:" }.dropFirst()
      for line in list {
        guard let match = line.firstMatch(of: #/^  ([a-z]+) /#) else { continue }
        read(words + [String(match.output.1)])
      }
    }
    read([])
    return options
  }()

  @Test(arguments: pages)
  func commands_andTheirOptions_exist(page: String) throws {
    for match in try Self.text(page).matches(of: /(?:^|[`$] ?|&& )xenograft ([a-z]+)([^`\n|;&>]*)/)
      .filter({ !$0.output.1.isEmpty })
    {
      let words = match.output.2.split(separator: " ").map(String.init)
      var name = String(match.output.1)
      #expect(
        Self.options[name] != nil || ["templates", "manual", "help"].contains(name),
        "\(page): \(match.output.0)")
      if let next = words.first, Self.options["\(name) \(next)"] != nil { name += " \(next)" }
      guard let known = Self.options[name] else { continue }
      for option in words.compactMap({ $0.firstMatch(of: #/^\[?(--[a-z][a-z-]*)/#)?.output.1 }) {
        #expect(known.contains(String(option)), "\(page): \(match.output.0): \(option)")
      }
    }
  }
}
