// The shell: words, quotes over lines, and here-documents.

/// A here-document that was announced.
struct HereDocument {
  var delimiter: [UInt8]
  /// `<<-`: tabs before the delimiter do not count.
  var ignoresTabs: Bool
}

extension LineScanner {
  mutating func stepShell(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "#"):
      // Within a word, as in $# and ${name#prefix}, it is no comment.
      let begins = isSpace(previous) || [0x3B, 0x26, 0x7C, 0x28, 0x29, 0x60].contains(previous)
      guard begins else { return take(asCode: true) }
      lineComment(joins: false)
    case UInt8(ascii: "\\"):
      take(2, asCode: true)
    case UInt8(ascii: "'"):
      string(quote: byte, escapes: false, overLines: true)
    case UInt8(ascii: "\""):
      string(quote: byte, overLines: true)
    case UInt8(ascii: "<"):
      if starts(with: "<<<") {
        take(3, asCode: true)
      } else if starts(with: "<<") {
        announceHereDocument()
      } else {
        take(asCode: true)
      }
    case 0x0A:
      take(asCode: true)
      for document in hereDocuments { read(document) }
      hereDocuments = []
    default:
      take(asCode: true)
    }
  }

  private mutating func announceHereDocument() {
    take(2, asCode: true)
    let ignoresTabs = byte(after: 0) == UInt8(ascii: "-")
    if ignoresTabs { take(asCode: true) }
    while byte(after: 0) == 0x20 || byte(after: 0) == 0x09 { take(asCode: true) }
    var delimiter: [UInt8] = []
    while index < bytes.count, delimiter.count < 256 {
      let byte = bytes[index]
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        take(asCode: true)
      } else if isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") {
        delimiter.append(byte)
        take(asCode: true)
      } else {
        break
      }
    }
    // `1 << 2` in arithmetic has a number where a delimiter would stand.
    guard let first = delimiter.first, !isDigit(first), hereDocuments.count < 16 else { return }
    hereDocuments.append(HereDocument(delimiter: delimiter, ignoresTabs: ignoresTabs))
  }

  /// Takes lines up to the delimiter's; all of it is code.
  private mutating func read(_ document: HereDocument) {
    while index < bytes.count {
      var line = bytes[index...].prefix { $0 != 0x0A }
      if document.ignoresTabs { line = line.drop { $0 == 0x09 } }
      let isEnd = line.elementsEqual(document.delimiter)
      skipLine(asCode: true)
      if index < bytes.count { take(asCode: true) }
      if isEnd { return }
    }
  }
}
