// Text out of an image, made fit for a terminal. Names in a symbol table are whatever somebody
// wrote there: escape sequences, line breaks and direction marks must not reach the reader's screen.

/// `text` with control characters and invisible direction marks spelled out.
package func printable(_ text: String) -> String {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    if isUnprintable(scalar) {
      result += "\\u{" + String(scalar.value, radix: 16) + "}"
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
    true
  default: false
  }
}

/// `1234567` as `1,234,567`.
func grouped(_ value: Int) -> String {
  let digits = Array(String(value.magnitude))
  var result = value < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
    result.append(digit)
  }
  return result
}

/// `1 finding`, `2,000 findings`.
package func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
  "\(grouped(count)) \(count == 1 ? noun : plural ?? noun + "s")"
}

extension String {
  /// Cut to `width` characters at the right, with dots where something is lost.
  func fitted(_ width: Int) -> String {
    count <= width ? self : String(prefix(max(0, width - 2))) + ".."
  }

  /// Cut to `width` characters at the left: what tells paths apart is their end.
  func fittedPath(_ width: Int) -> String {
    count <= width ? self : ".." + String(suffix(max(0, width - 2)))
  }

  package func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  func paddedLeft(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }

  /// Broken at spaces into lines of at most `width` characters; a longer word stands alone.
  package func wrapped(_ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ", omittingEmptySubsequences: true) {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " " + word
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
