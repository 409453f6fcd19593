// What the argument parser says of wrong usage, in the words of every other message: what was
// expected, and what was found.

import ArgumentParser

/// A fault of usage.
struct UsageFault {
  /// The parser's message, with help and usage below it.
  private let lines: [Substring]

  init(_ fullMessage: String) {
    lines = fullMessage.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The message, and below it how the command is called.
  var text: String {
    let usage = lines.filter { $0.hasPrefix("Usage: ") || $0.hasPrefix("  See ") }
    return (["xenograft: \(sentence)"] + usage.map { String($0) }).joined(separator: "\n") + "\n"
  }

  /// The first line without its label.
  private var head: Substring {
    let first = lines.first ?? ""
    return first.hasPrefix("Error: ") ? first.dropFirst("Error: ".count) : first
  }

  /// The values that an option takes, where the parser lists them.
  private var choices: [Substring] {
    let bullets = lines.filter { $0.hasPrefix("  - ") }.map { $0.dropFirst("  - ".count) }
    if !bullets.isEmpty { return bullets }
    guard let range = head.firstRange(of: "Please provide one of ") else { return [] }
    return head[range.upperBound...].matches(of: /'([^']+)'/).map(\.output.1)
  }

  /// The explanation of the option in question.
  private var help: Substring? {
    let line = lines.first { $0.hasPrefix("Help:") }
    return line?.firstRange(of: ">  ").flatMap { line?[$0.upperBound...] }
  }

  private var sentence: String {
    if let match = head.firstMatch(of: /^The value '(.*)' is invalid for '([^']+)'/) {
      let (name, value) = Self.parts(match.output.2)
      let expected =
        choices.isEmpty
        ? Self.meaning(of: value) + (help.map { " (\($0.trimmed))" } ?? "")
        : Self.list(choices)
      return "\(name): expected \(expected), found \(match.output.1)"
    }
    if let match = head.firstMatch(of: /^Missing value for '([^']+)'/) {
      let (name, value) = Self.parts(match.output.1)
      return "\(name): expected \(Self.meaning(of: value)), found none"
    }
    if let match = head.firstMatch(of: /^Missing expected argument '(.+)'/) {
      return "expected \(match.output.1)" + (help.map { " (\($0.trimmed))" } ?? "")
        + ", found nothing"
    }
    if let match = head.firstMatch(of: /^Unexpected argument '(.*)'/) {
      return "expected \(what), found \(match.output.1)"
    }
    if let match = head.firstMatch(of: /^\d+ unexpected arguments: (.*)/) {
      return "expected \(what), found \(match.output.1)"
    }
    if let match = head.firstMatch(of: /^Unknown option '([^']+)'(?:\. (Did you mean .*\?))?/) {
      return "expected an option that this command has, found \(match.output.1)"
        + (match.output.2.map { "; \($0.lowercased())" } ?? "")
    }
    return String(head)
  }

  /// What stands where the parser wants nothing more.
  private var what: String {
    lines.contains { $0.hasPrefix("Usage: ") && $0.hasSuffix(" <subcommand>") }
      ? "a subcommand" : "no further argument"
  }

  /// `--memory <MiB>` taken apart.
  private static func parts(_ option: Substring) -> (name: Substring, value: Substring) {
    let space = option.firstIndex(of: " ") ?? option.endIndex
    return (option[..<space], option[space...].dropFirst())
  }

  /// A value's name in words.
  private static func meaning(of value: Substring) -> String {
    switch value {
    case "<MiB>": "a whole number of MiB"
    case "<number>": "a whole number"
    case "<seconds>": "a number of seconds"
    case "<port>": "a port's number"
    case "<file>": "a file's path"
    case "<folder>": "a folder's path"
    default: String(value)
    }
  }

  private static func list(_ words: [Substring]) -> String {
    words.dropLast().joined(separator: ", ") + (words.count > 1 ? " or " : "")
      + (words.last ?? "")
  }
}

extension Substring {
  /// Without blanks at its end and its last full stop.
  fileprivate var trimmed: Substring {
    var rest = self
    while let last = rest.last, last == " " || last == "." { rest.removeLast() }
    return rest
  }
}

extension ArgumentHelp {
  /// Help for an option whose value is called `name`.
  static func value(_ name: String, _ text: String) -> Self {
    ArgumentHelp(text, valueName: name)
  }
}
