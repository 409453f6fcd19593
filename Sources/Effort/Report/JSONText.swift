// JSON whose keys keep their order, so that the same report gives the same bytes.

/// A JSON value.
indirect enum JSONText {
  case object([(String, JSONText)])
  case array([JSONText])
  case string(String)
  case integer(Int)
  case number(Double)
  case boolean(Bool)
  case null

  static func optional(_ text: String?) -> Self { text.map(Self.string) ?? .null }
  static func optional(_ number: Int?) -> Self { number.map(Self.integer) ?? .null }
  static func strings(_ texts: [String]) -> Self { .array(texts.map(Self.string)) }

  /// The document, with a line's end.
  func document() -> String {
    var text = ""
    write(to: &text, indent: 0)
    return text + "\n"
  }

  private var isShort: Bool {
    switch self {
    case .object(let fields): fields.allSatisfy { $0.1.isScalar }
    case .array(let values): values.isEmpty
    default: true
    }
  }

  private var isScalar: Bool {
    switch self {
    case .object, .array: false
    default: true
    }
  }

  private func write(to text: inout String, indent: Int) {
    let line = "\n" + String(repeating: " ", count: indent + 2)
    let last = "\n" + String(repeating: " ", count: indent)
    switch self {
    case .object(let fields):
      text += "{"
      for (index, field) in fields.enumerated() {
        if index > 0 { text += "," }
        text += isShort ? (index > 0 ? " " : "") : line
        Self.write(field.0, to: &text)
        text += ": "
        field.1.write(to: &text, indent: indent + 2)
      }
      text += isShort ? "}" : last + "}"
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        text += (index > 0 ? "," : "") + line
        value.write(to: &text, indent: indent + 2)
      }
      text += values.isEmpty ? "]" : last + "]"
    case .string(let string): Self.write(string, to: &text)
    case .integer(let number): text += String(number)
    case .number(let number): text += number.isFinite ? "\(number)" : "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .null: text += "null"
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F || [0x2028, 0x2029].contains(scalar.value) {
          let digits = String(scalar.value, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    text += "\""
  }
}
