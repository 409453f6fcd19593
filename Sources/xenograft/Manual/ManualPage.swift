// A command's manual page, in the macros of man(7).

import Foundation

/// The page of one command.
struct ManualPage {
  private let command: CommandDescription
  /// The commands above, beside and under it, for the section that names them.
  private let related: [CommandDescription]
  private let version: String

  init(_ command: CommandDescription, related: [CommandDescription], version: String) {
    self.command = command
    self.related = related
    self.version = version
  }

  /// `xenograft-audit`, as the page and its file are called.
  static func title(_ command: CommandDescription) -> String {
    command.words.joined(separator: "-")
  }

  /// The page's source.
  var text: String {
    let title = Self.title(command)
    var lines = [
      #".TH "\#(Roff.plain(title.uppercased()))" 1 "" "Xenograft \#(version)" "Xenograft""#,
      ".SH NAME", "\(Roff.plain(title)) \\- \(Roff.plain(Self.phrase(command.abstract ?? "")))",
      ".SH SYNOPSIS", ".nh",
    ]
    lines += synopsis
    lines.append(".hy")
    lines += description
    for (section, arguments) in sections {
      lines.append(".SH \(Roff.plain(section))")
      for argument in arguments { lines += entry(argument) }
    }
    if !command.shownSubcommands.isEmpty {
      lines.append(".SH COMMANDS")
      for sub in command.shownSubcommands {
        lines += [".TP", ".B \(Roff.plain(sub.commandName))", Roff.line(sub.abstract ?? "")]
      }
    }
    for case .exit(let text) in Discussion(command.discussion ?? "").blocks {
      lines += [".SH EXIT STATUS", Roff.line(text)]
    }
    lines += examples
    let names = related.map { ".BR \(Roff.plain(Self.title($0))) (1)" }
    lines +=
      [".SH SEE ALSO"]
      + names.enumerated().map { index, name in
        index + 1 < names.count ? name + " ," : name
      }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Without capital and full stop, as `apropos` lists it.
  private static func phrase(_ text: String) -> String {
    let rest = text.hasSuffix(".") ? text.dropLast() : text[...]
    let isName = rest.dropFirst().first?.isUppercase ?? false
    return isName ? String(rest) : rest.prefix(1).lowercased() + rest.dropFirst()
  }

  private var synopsis: [String] {
    let name = ".B \(Roff.plain(command.words.joined(separator: " ")))"
    guard command.shownSubcommands.isEmpty else { return [name, ".I command", "\\&..."] }
    var lines = [name]
    let arguments = command.shownArguments
    let options = arguments.filter { !$0.isPositional }
    for option in options where !option.isOptional { lines.append(spelled(option)) }
    if options.contains(where: \.isOptional) { lines.append("[\\fIoptions\\fR]") }
    for argument in arguments where argument.isPositional {
      let name =
        "\\fI\(Roff.plain(argument.valueName ?? ""))\\fR" + (argument.isRepeating ? "\\&..." : "")
      lines.append(argument.isOptional ? "[\(name)]" : name)
    }
    return lines
  }

  /// The discussion without its examples.
  private var description: [String] {
    var lines = [".SH DESCRIPTION"]
    let blocks = Discussion(command.discussion ?? "").blocks
    if command.discussion == nil { lines.append(Roff.line(command.abstract ?? "")) }
    for block in blocks {
      switch block {
      case .paragraph(let text): lines += [".PP", Roff.line(text)]
      case .code(let code): lines += Roff.code(code)
      case .examples, .exit: break
      }
    }
    return lines
  }

  private var examples: [String] {
    let code = Discussion(command.discussion ?? "").blocks.flatMap { block -> [String] in
      if case .examples(let code) = block { code } else { [] }
    }
    return code.isEmpty ? [] : [".SH EXAMPLES"] + Roff.code(code)
  }

  /// Arguments by the titles of help, in its order.
  private var sections: [(String, [ArgumentDescription])] {
    var sections: [(String, [ArgumentDescription])] = []
    for argument in command.shownArguments {
      let title =
        argument.sectionTitle?.uppercased() ?? (argument.isPositional ? "ARGUMENTS" : "OPTIONS")
      if let index = sections.firstIndex(where: { $0.0 == title }) {
        sections[index].1.append(argument)
      } else {
        sections.append((title, [argument]))
      }
    }
    return sections
  }

  private func spelled(_ argument: ArgumentDescription) -> String {
    let value = argument.value.map { "\\fI\(Roff.plain($0))\\fR" }
    guard let names = argument.names, !argument.isPositional else { return value ?? "" }
    // Short names first, as one reads them in usage.
    let ordered = names.sorted { $0.spelled.count < $1.spelled.count }
    let text = ordered.map { "\\fB\(Roff.plain($0.spelled))\\fR" }.joined(separator: ", ")
    return value.map { "\(text) \($0)" } ?? text
  }

  private func entry(_ argument: ArgumentDescription) -> [String] {
    var text = argument.abstract ?? ""
    var facts: [String] = []
    if let values = argument.allValues, !values.isEmpty {
      facts.append("one of \(values.joined(separator: ", "))")
    }
    if let value = argument.defaultValue, !value.isEmpty { facts.append("default: \(value)") }
    if argument.isRepeating, argument.isPositional { facts.append("repeatable") }
    if !facts.isEmpty { text += " (\(facts.joined(separator: "; ")))" }
    return [".TP", spelled(argument), Roff.line(text)]
  }
}

/// A command's discussion, taken apart.
struct Discussion {
  enum Block {
    case paragraph(String)
    case code([String])
    case examples([String])
    case exit(String)
  }

  /// The parts in their order.
  let blocks: [Block]

  /// Indented lines are code; that below a line `Examples:` are examples.
  init(_ text: String) {
    var blocks: [Block] = []
    var areExamples = false
    for part in text.split(separator: "\n\n") {
      let lines = part.split(separator: "\n")
      if lines.allSatisfy({ $0.hasPrefix("  ") }) {
        let code = lines.map { String($0.dropFirst(2)) }
        blocks.append(areExamples ? .examples(code) : .code(code))
        areExamples = false
      } else if part == "Examples:" || part == "Example:" {
        areExamples = true
      } else if part.hasPrefix("Exit code") {
        blocks.append(.exit(lines.joined(separator: " ")))
      } else {
        blocks.append(.paragraph(lines.joined(separator: " ")))
      }
    }
    self.blocks = blocks
  }
}

/// Text in the language of roff.
enum Roff {
  /// Text within a line: nothing in it is a command.
  static func plain(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\e"
      case "-": "\\-"
      case "'": "\\(aq"
      case "`": "\\(ga"
      case "^": "\\(ha"
      case "~": "\\(ti"
      case "\"": "\\(dq"
      case _ where scalar.isASCII: String(scalar)
      default: "\\[u" + Self.hexadecimal(scalar.value) + "]"
      }
    }.joined()
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// A line of running text, in which `code` stands out.
  static func line(_ text: String) -> String {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false)
    // Marks come in pairs, or stand for themselves.
    guard parts.count % 2 == 1 else { return "\\&" + plain(text) }
    return "\\&"
      + parts.enumerated().map { index, part in
        index % 2 == 1 ? "\\fB\(plain(String(part)))\\fR" : plain(String(part))
      }.joined()
  }

  /// Lines as they stand.
  static func code(_ lines: [String]) -> [String] {
    [".PP", ".RS 4", ".nf"] + lines.map { "\\&" + plain($0) } + [".fi", ".RE"]
  }
}
