// `xenograft rules`: what the audit looks for, rule by rule.

import ArgumentParser
import Audit
import Foundation

struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Explain the rules of the audit.",
    discussion: """
      Example:

        xenograft rules show popf
      """,
    subcommands: [List.self, Show.self, Generate.self, Check.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One line for each rule.",
      discussion: """
        Example:

          xenograft rules list
        """)

    func run() throws {
      let rules = RuleBook.builtin.rules
      let width = rules.map(\.id.count).max() ?? 0
      var text = ""
      for rule in rules {
        let name = rule.id.padding(toLength: width, withPad: " ", startingAt: 0)
        let kind = rule.ruleClass.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0)
        text += "\(name)  \(kind)  \(rule.title)\n"
      }
      try StandardOutput.write(Array(text.utf8))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Everything about one rule: encodings, and what becomes of it under each target.",
      discussion: """
        Example:

          xenograft rules show popf
        """)

    @Argument(help: "The rule's identifier, as findings name it.")
    var rule: String

    func run() throws {
      let rules = RuleBook.builtin.rules
      guard let found = rules.first(where: { $0.id == rule }) else {
        let near = rules.map(\.id).filter { $0.contains(rule) || rule.contains($0) }
        let hint = near.isEmpty ? "" : " (did you mean \(near.joined(separator: ", "))?)"
        throw CommandFailure.input(
          "expected a rule's identifier (see xenograft rules list), found \(rule)\(hint)")
      }
      try StandardOutput.write(Array(RuleText(found).text.utf8))
    }
  }

  struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the files that are generated from rules/, in a checkout of Xenograft.",
      discussion: """
        Example:

          xenograft rules generate
        """)

    func run() throws {
      for path in try RuleBook.bringUpToDate(checkOnly: false) {
        StandardError.write("written: \(path)\n")
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check that the files generated from rules/ are current.",
      discussion: """
        Example:

          xenograft rules check

        Exit codes: 0, current; 1, a file is stale.
        """)

    func run() throws {
      let stale = try RuleBook.bringUpToDate(checkOnly: true)
      guard stale.isEmpty else {
        throw CommandFailure(
          message: "stale: \(stale.joined(separator: ", ")); run xenograft rules generate",
          exitCode: 1)
      }
    }
  }
}

extension RuleBook {
  /// The files of the checkout in the working folder that are not current, which are written unless it is only a check.
  fileprivate static func bringUpToDate(checkOnly: Bool) throws -> [String] {
    let root = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    do throws(RuleFileError) {
      return try RuleBook.generate(checkout: root, checkOnly: checkOnly)
    } catch {
      throw CommandFailure.input(error.description)
    }
  }
}

/// A rule as text for a terminal.
private struct RuleText {
  let rule: Rule

  init(_ rule: Rule) {
    self.rule = rule
  }

  var text: String {
    var lines = ["\(rule.id): \(rule.title)", "", "  class      \(rule.ruleClass.rawValue)"]
    lines.append("  encodings  \(rule.encodings.map(\.pattern).joined(separator: ", "))")
    lines.append("  source     \(rule.source)")
    lines.append("  guide      \(rule.guide)")
    lines += ["", rule.summary]
    for target in Target.allCases {
      guard let outcome = rule.outcomes[target] else { continue }
      lines += ["", "\(target.rawValue): \(outcome.disposition.rawValue)", "  \(outcome.why)"]
      if let replacement = outcome.replacement { lines.append("  instead: \(replacement)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
