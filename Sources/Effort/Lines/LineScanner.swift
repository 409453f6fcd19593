// Reads a text once and says of each line whether code, comments or nothing stands on it. It knows
// as much of each language as that takes: where comments and strings begin and end.

/// Scans one text.
struct LineScanner<Sink: LineSink> {
  let bytes: UnsafeBufferPointer<UInt8>
  let language: Language
  var sink: Sink

  /// The next byte.
  var index = 0
  /// Where the current line begins.
  var lineStart = 0
  var hasCode = false
  var hasText = false
  /// Open brackets, which decide whether a string of Python begins a statement.
  var depth = 0
  /// Delimiters of here-documents that begin after this line.
  var hereDocuments: [HereDocument] = []

  init(_ bytes: UnsafeRawBufferPointer, _ language: Language, into sink: Sink) {
    self.bytes = bytes.bindMemory(to: UInt8.self)
    self.language = language
    self.sink = sink
  }

  /// Scans everything and returns the sink.
  static func scan(
    _ bytes: UnsafeRawBufferPointer, _ language: Language, into sink: Sink
  ) -> Sink {
    var scanner = Self(bytes, language, into: sink)
    scanner.run()
    return scanner.sink
  }

  private mutating func run() {
    if language == .plain {
      while index < bytes.count { take(asCode: true) }
    } else {
      // `#!` is no comment.
      if bytes.count > 1, bytes[0] == UInt8(ascii: "#"), bytes[1] == UInt8(ascii: "!") {
        skipLine(asCode: true)
      }
      while index < bytes.count { step() }
    }
    // The last line may lack its end.
    if lineStart < bytes.count { endLine() }
  }

  /// Takes one byte, or a whole comment or string that begins at it.
  private mutating func step() {
    let byte = bytes[index]
    // Letters, digits and most of the rest mean nothing anywhere.
    guard byte < 0x80, isMark[Int(byte)] else { return take(asCode: true) }
    switch language {
    case .c, .cPlusPlus, .linkerScript, .java, .script: stepC(byte)
    case .go, .rust, .swift: stepModern(byte)
    case .assembler, .intelAssembler: stepAssembler(byte)
    case .python: stepPython(byte)
    case .shell: stepShell(byte)
    case .make, .kconfig, .hash: stepHash(byte)
    case .markup: stepMarkup(byte)
    case .plain: take(asCode: true)
    }
  }

  func byte(after offset: Int) -> UInt8 {
    index + offset < bytes.count ? bytes[index + offset] : 0
  }

  /// The byte before; a line's end at the beginning.
  var previous: UInt8 { index > 0 ? bytes[index - 1] : 0x0A }

  func starts(with text: StaticString) -> Bool {
    guard bytes.count - index >= text.utf8CodeUnitCount else { return false }
    for offset in 0..<text.utf8CodeUnitCount {
      // SAFETY: the offset is below the count of the text's code units.
      if bytes[index + offset] != text.utf8Start[offset] { return false }
    }
    return true
  }

  mutating func endLine() {
    sink.add(hasCode ? .code : hasText ? .comment : .blank)
    hasCode = false
    hasText = false
    lineStart = index
  }

  /// Takes one byte of code or of a comment.
  mutating func take(asCode: Bool) {
    let byte = bytes[index]
    index += 1
    if byte == 0x0A {
      endLine()
    } else if !isSpace(byte) {
      hasText = true
      if asCode { hasCode = true }
    }
  }

  mutating func take(_ count: Int, asCode: Bool) {
    for _ in 0..<count where index < bytes.count { take(asCode: asCode) }
  }

  /// Takes the rest of the line, without its end.
  mutating func skipLine(asCode: Bool) {
    while index < bytes.count, bytes[index] != 0x0A { take(asCode: asCode) }
  }

  /// Takes a comment to the line's end, and on where a backslash joins the next line to it.
  mutating func lineComment(joins: Bool) {
    skipLine(asCode: false)
    guard joins else { return }
    while index < bytes.count {
      let last =
        previous == 0x0D && index > 1 ? bytes[index - 2] : previous
      guard last == UInt8(ascii: "\\") else { return }
      take(asCode: false)
      skipLine(asCode: false)
    }
  }

  /// Takes a comment in `/*` and `*/`.
  mutating func blockComment(nests: Bool) {
    var level = 1
    take(2, asCode: false)
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "*"), byte(after: 1) == UInt8(ascii: "/") {
        take(2, asCode: false)
        level -= 1
        if level == 0 { return }
      } else if nests, bytes[index] == UInt8(ascii: "/"), byte(after: 1) == UInt8(ascii: "*") {
        take(2, asCode: false)
        level += 1
      } else {
        take(asCode: false)
      }
    }
  }

  /// Takes a string whose first quote stands here.
  mutating func string(quote: UInt8, escapes: Bool = true, overLines: Bool = false) {
    take(asCode: true)
    while index < bytes.count {
      let byte = bytes[index]
      if byte == 0x0A, !overLines { return }
      if escapes, byte == UInt8(ascii: "\\") {
        take(2, asCode: true)
      } else {
        take(asCode: true)
        if byte == quote { return }
      }
    }
  }

  /// Takes everything up to and with `end`.
  mutating func until(_ end: [UInt8], escapes: Bool = false, asCode: Bool) {
    while index < bytes.count {
      if escapes, bytes[index] == UInt8(ascii: "\\") {
        take(2, asCode: asCode)
      } else if bytes[index] == end[0], bytes[index...].starts(with: end) {
        return take(end.count, asCode: asCode)
      } else {
        take(asCode: asCode)
      }
    }
  }
}

/// White space within a line, the carriage return of a CRLF ending with it.
@inline(__always)
func isSpace(_ byte: UInt8) -> Bool {
  byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
}

/// The bytes below 0x80 at which a comment or string of some language can begin, or a line ends.
private let isMark: [Bool] = {
  var table = [Bool](repeating: false, count: 128)
  for byte in "\n\"'`/#;@|!<\\()[]{}".utf8 { table[Int(byte)] = true }
  return table
}()
