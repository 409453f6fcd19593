// Lines of generated text: indentation, and prose broken at a width.

/// Collects lines.
struct TextBuilder {
  private var lines: [String] = []
  private var depth = 0
  let unit: String

  init(unit: String = "    ") {
    self.unit = unit
  }

  var text: String { lines.joined(separator: "\n") + "\n" }

  mutating func line(_ text: String = "") {
    lines.append(text.isEmpty ? "" : String(repeating: unit, count: depth) + text)
  }

  mutating func raw(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      lines.append(String(line))
    }
  }

  mutating func indented(_ body: (inout Self) -> Void) {
    depth += 1
    body(&self)
    depth -= 1
  }

  /// A line in column 0, as preprocessor directives stand.
  mutating func flush(_ text: String) { lines.append(text) }
}

enum Prose {
  /// Breaks a description into lines of at most `width` characters; line breaks of the source do not count.
  static func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var current = ""
    for word in text.split(whereSeparator: \.isWhitespace) {
      if !current.isEmpty, current.count + 1 + word.count > width {
        lines.append(current)
        current = ""
      }
      current += (current.isEmpty ? "" : " ") + word
    }
    if !current.isEmpty { lines.append(current) }
    return lines
  }

  /// One line.
  static func line(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The first sentence.
  static func summary(_ text: String) -> String {
    let line = line(text)
    var previous: Character = " "
    for (index, character) in zip(line.indices, line) {
      if character == " ", previous == "." {
        let sentence = line[..<index]
        if !sentence.hasSuffix("e.g.") && !sentence.hasSuffix("i.e.") { return String(sentence) }
      }
      previous = character
    }
    return line
  }
}

enum Number {
  /// Decimal for small numbers, hexadecimal for flags and addresses.
  static func text(_ number: Int128, hexadecimal: Bool) -> String {
    if number < 0 { return "-" + text(-number, hexadecimal: false) }
    if hexadecimal || number > 0xFFFF { return "0x" + String(number, radix: 16) }
    return String(number)
  }
}
