// What a page of the manual consists of; one rendering for terminals, one for Markdown.

/// A part of a page.
public enum Block: Sendable, Equatable {
  case heading(Int, String)
  /// Prose that may be broken anywhere.
  case paragraph(String)
  /// Prose that carries its own Markdown.
  case markdown(String)
  /// Pairs of a label and text.
  case facts([(label: String, text: String)])
  case code(language: String, lines: [String])
  case table(header: [String], rows: [[String]])

  public static func == (left: Self, right: Self) -> Bool {
    MarkdownRenderer.render([left]) == MarkdownRenderer.render([right])
  }
}

/// Blocks as Markdown.
public enum MarkdownRenderer {
  public static func render(_ blocks: [Block]) -> String {
    var out = ""
    for block in blocks {
      if !out.isEmpty { out += "\n" }
      switch block {
      case .heading(let level, let text):
        out += String(repeating: "#", count: level) + " " + escaped(text) + "\n"
      case .paragraph(let text): out += escaped(Prose.line(text)) + "\n"
      case .markdown(let text): out += text.hasSuffix("\n") ? text : text + "\n"
      case .facts(let facts):
        for fact in facts { out += "- **\(fact.label):** \(escaped(Prose.line(fact.text)))\n" }
      case .code(let language, let lines):
        out += "```\(language)\n" + lines.joined(separator: "\n") + "\n```\n"
      case .table(let header, let rows):
        out += "| " + header.joined(separator: " | ") + " |\n"
        out += "|" + header.map { _ in "---|" }.joined() + "\n"
        for row in rows {
          out += "| " + row.map { escaped($0).replacing("|", with: "\\|") }.joined(separator: " | ")
          out += " |\n"
        }
      }
    }
    return out
  }

  /// Angle brackets would be taken for HTML outside of code.
  private static func escaped(_ text: String) -> String {
    var out = ""
    var isCode = false
    for character in text {
      if character == "`" { isCode.toggle() }
      out += character == "<" && !isCode ? "&lt;" : String(character)
    }
    return out
  }
}

/// Blocks as text for a terminal.
public enum TextRenderer {
  public static func render(_ blocks: [Block], width: Int = 96) -> String {
    var lines: [String] = []
    for block in blocks {
      if !lines.isEmpty { lines.append("") }
      switch block {
      case .heading(let level, let text):
        lines.append(text)
        let mark = level <= 1 ? "═" : level == 2 ? "─" : "·"
        lines.append(String(repeating: mark, count: text.count))
      case .paragraph(let text): lines += Prose.wrap(text, width: width)
      case .markdown(let text):
        lines += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      case .facts(let facts):
        let indent = (facts.map(\.label.count).max() ?? 0) + 2
        for fact in facts {
          let body = Prose.wrap(fact.text, width: max(40, width - indent))
          for (index, line) in body.enumerated() {
            let label = index == 0 ? fact.label + ":" : ""
            lines.append(padded(label, indent) + line)
          }
        }
      case .code(_, let code): lines += code.map { "  " + $0 }
      case .table(let header, let rows): lines += table(header, rows, width: width)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Columns as wide as their cells; the last column takes what is left and is broken.
  private static func table(_ header: [String], _ rows: [[String]], width: Int) -> [String] {
    guard !header.isEmpty else { return [] }
    var widths = header.map(\.count)
    for row in rows {
      for (column, cell) in row.enumerated() where column < widths.count {
        widths[column] = max(widths[column], cell.count)
      }
    }
    let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
    let last = max(30, width - before)
    var lines: [String] = []
    for (index, row) in ([header] + rows).enumerated() {
      let start = zip(row.dropLast(), widths).map { padded($0, $1 + 2) }.joined()
      let body = Prose.wrap(row.last ?? "", width: last)
      lines.append((start + (body.first ?? "")).trimmedEnd)
      for line in body.dropFirst() { lines.append(String(repeating: " ", count: before) + line) }
      if index == 0 { lines.append(String(repeating: "-", count: min(width, before + last))) }
    }
    return lines
  }
}
