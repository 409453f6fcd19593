// Where comments and strings begin, language by language.

extension LineScanner {
  mutating func stepC(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "/") where self.byte(after: 1) == UInt8(ascii: "/"):
      if language == .linkerScript { return take(asCode: true) }
      lineComment(joins: language == .c || language == .cPlusPlus)
    case UInt8(ascii: "/") where self.byte(after: 1) == UInt8(ascii: "*"):
      blockComment(nests: false)
    case UInt8(ascii: "\"") where language == .cPlusPlus && previous == UInt8(ascii: "R"):
      rawStringOfCPlusPlus()
    case UInt8(ascii: "\""):
      string(quote: byte)
    case UInt8(ascii: "'"):
      // 1'000 is a number of C++.
      if language == .cPlusPlus, isDigit(previous) { return take(asCode: true) }
      string(quote: byte)
    case UInt8(ascii: "`") where language == .script:
      string(quote: byte, overLines: true)
    default:
      take(asCode: true)
    }
  }

  /// `R"mark( … )mark"`, whose mark has at most sixteen bytes.
  private mutating func rawStringOfCPlusPlus() {
    var end = [UInt8(ascii: ")")]
    var offset = 1
    while offset <= 17, self.byte(after: offset) != UInt8(ascii: "(") {
      end.append(self.byte(after: offset))
      offset += 1
    }
    guard offset <= 17 else { return string(quote: UInt8(ascii: "\"")) }
    end.append(UInt8(ascii: "\""))
    take(offset + 1, asCode: true)
    until(end, asCode: true)
  }

  /// Go, Rust and Swift.
  mutating func stepModern(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "/") where self.byte(after: 1) == UInt8(ascii: "/"):
      lineComment(joins: false)
    case UInt8(ascii: "/") where self.byte(after: 1) == UInt8(ascii: "*"):
      blockComment(nests: language != .go)
    case UInt8(ascii: "\""):
      quotedModern()
    case UInt8(ascii: "#") where language == .swift:
      hashesBeforeString(after: 0)
    case UInt8(ascii: "#") where language == .rust && isRawPrefix:
      hashesBeforeString(after: 0)
    case UInt8(ascii: "`") where language == .go:
      string(quote: byte, escapes: false, overLines: true)
    case UInt8(ascii: "'") where language == .go:
      string(quote: byte)
    case UInt8(ascii: "'") where language == .rust:
      characterOrLifetime()
    default:
      take(asCode: true)
    }
  }

  private mutating func quotedModern() {
    let quote = UInt8(ascii: "\"")
    if language == .swift, starts(with: "\"\"\"") {
      take(3, asCode: true)
      until([quote, quote, quote], escapes: true, asCode: true)
    } else if language == .rust {
      string(quote: quote, escapes: !isRawPrefix, overLines: true)
    } else {
      string(quote: quote)
    }
  }

  /// Whether an `r` that is no end of a longer name stands before, as in `r"` and `br#"`.
  private var isRawPrefix: Bool {
    guard previous == UInt8(ascii: "r"), index > 0 else { return false }
    guard index > 1 else { return true }
    let before = bytes[index - 2]
    if before == UInt8(ascii: "b") || before == UInt8(ascii: "c") {
      return index < 3 || !isWord(bytes[index - 3])
    }
    return !isWord(before)
  }

  /// `#"…"#` with as many signs at its end; without a quote after them they are something else.
  private mutating func hashesBeforeString(after offset: Int) {
    var hashes = 0
    while byte(after: hashes) == UInt8(ascii: "#") {
      hashes += 1
      // Nobody writes more, and a line of them must not be read again for each.
      if hashes > 64 { return take(hashes, asCode: true) }
    }
    guard byte(after: hashes) == UInt8(ascii: "\"") else { return take(hashes, asCode: true) }
    let quote = UInt8(ascii: "\"")
    take(hashes, asCode: true)
    let isLong = language == .swift && starts(with: "\"\"\"")
    take(isLong ? 3 : 1, asCode: true)
    let end =
      [UInt8](repeating: quote, count: isLong ? 3 : 1)
      + [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
    until(end, asCode: true)
  }

  /// `'a'` or `'\n'` is a character, `'a` without a second quote a lifetime.
  private mutating func characterOrLifetime() {
    let next = byte(after: 1)
    if next == UInt8(ascii: "\\") { return string(quote: UInt8(ascii: "'")) }
    let width = next < 0x80 ? 1 : next < 0xE0 ? 2 : next < 0xF0 ? 3 : 4
    let isCharacter = byte(after: 1 + width) == UInt8(ascii: "'")
    take(isCharacter ? width + 2 : 1, asCode: true)
  }

  mutating func stepAssembler(_ byte: UInt8) {
    let isIntel = language == .intelAssembler
    switch byte {
    case UInt8(ascii: "/") where !isIntel && self.byte(after: 1) == UInt8(ascii: "/"):
      lineComment(joins: false)
    case UInt8(ascii: "/") where !isIntel && self.byte(after: 1) == UInt8(ascii: "*"):
      blockComment(nests: false)
    case UInt8(ascii: "#") where !isIntel:
      if !hasCode, isPreprocessorLine {
        take(asCode: true)
      } else {
        lineComment(joins: false)
      }
    case UInt8(ascii: ";") where isIntel || !hasText,
      UInt8(ascii: "@") where !isIntel && !hasText,
      UInt8(ascii: "|") where !isIntel && !hasText,
      UInt8(ascii: "!") where !isIntel && !hasText:
      // Comments of other machines' assemblers, which stand at a line's beginning.
      lineComment(joins: false)
    case UInt8(ascii: "\""):
      string(quote: byte)
    case UInt8(ascii: "'"):
      // GAS writes a character as 'c, without a second quote; NASM a string in two.
      if isIntel { string(quote: byte, escapes: false) } else { take(2, asCode: true) }
    default:
      take(asCode: true)
    }
  }

  /// Whether a directive of the C preprocessor stands after the `#` here.
  private var isPreprocessorLine: Bool {
    var offset = 1
    while offset < 64, byte(after: offset) == 0x20 || byte(after: offset) == 0x09 { offset += 1 }
    var word: [UInt8] = []
    while word.count < 16, isWord(byte(after: offset)) {
      word.append(byte(after: offset))
      offset += 1
    }
    return preprocessorWords.contains(String(decoding: word, as: UTF8.self))
  }

  mutating func stepPython(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "#"):
      lineComment(joins: false)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      guard self.byte(after: 1) == byte, self.byte(after: 2) == byte else {
        return string(quote: byte)
      }
      // A string that is a statement of its own documents something.
      let isDocumentation = depth == 0 && beginsStatement
      if isDocumentation { hasCode = false }
      take(3, asCode: !isDocumentation)
      until([byte, byte, byte], escapes: true, asCode: !isDocumentation)
    case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
      depth += 1
      take(asCode: true)
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      depth = max(0, depth - 1)
      take(asCode: true)
    default:
      take(asCode: true)
    }
  }

  /// Whether nothing but white space and a string's prefix stands before this place of the line.
  private var beginsStatement: Bool {
    if !hasCode { return true }
    let before = bytes[lineStart..<index].drop(while: isSpace)
    return before.count <= 2 && before.allSatisfy { [0x72, 0x52, 0x75, 0x55].contains($0) }
  }

  /// Comments from `#` on: make, Kconfig and others.
  mutating func stepHash(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "#"):
      let begins = language == .make ? previous != UInt8(ascii: "\\") : isSpace(previous)
      guard begins else { return take(asCode: true) }
      lineComment(joins: language == .make)
    case UInt8(ascii: "\"") where language != .make:
      string(quote: byte)
    default:
      take(asCode: true)
    }
  }

  mutating func stepMarkup(_ byte: UInt8) {
    guard starts(with: "<!--") else { return take(asCode: true) }
    take(4, asCode: false)
    until(Array("-->".utf8), asCode: false)
  }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

@inline(__always)
func isWord(_ byte: UInt8) -> Bool {
  isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == 0x5F || byte >= 0x80
}

private let preprocessorWords: Set<String> = [
  "include", "define", "undef", "if", "ifdef", "ifndef", "else", "elif", "endif", "error",
  "warning", "pragma", "line",
]
