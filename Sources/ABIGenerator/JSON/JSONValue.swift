// JSON with the order of keys kept, so that generated files are the same every time.

/// A value of JSON.
public indirect enum JSONValue: Sendable, Equatable {
  case string(String)
  case integer(Int128)
  case boolean(Bool)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])
  case null

  public static func == (left: Self, right: Self) -> Bool { left.text() == right.text() }

  /// An object without the keys whose value is absent.
  public static func compact(_ pairs: [(String, JSONValue?)]) -> Self {
    .object(pairs.compactMap { key, value in value.map { (key: key, value: $0) } })
  }

  /// The document: two spaces a level, short lists of numbers in a line.
  public func text() -> String {
    var out = ""
    write(into: &out, depth: 0)
    return out + "\n"
  }

  private func write(into out: inout String, depth: Int) {
    let inner = String(repeating: "  ", count: depth + 1)
    let outer = String(repeating: "  ", count: depth)
    switch self {
    case .string(let text): out += Self.quoted(text)
    case .integer(let number): out += String(number)
    case .boolean(let value): out += value ? "true" : "false"
    case .null: out += "null"
    case .array(let values):
      if values.isEmpty {
        out += "[]"
        return
      }
      out += "[\n"
      for (index, value) in values.enumerated() {
        out += inner
        value.write(into: &out, depth: depth + 1)
        out += index == values.count - 1 ? "\n" : ",\n"
      }
      out += outer + "]"
    case .object(let pairs):
      if pairs.isEmpty {
        out += "{}"
        return
      }
      out += "{\n"
      for (index, pair) in pairs.enumerated() {
        out += inner + Self.quoted(pair.key) + ": "
        pair.value.write(into: &out, depth: depth + 1)
        out += index == pairs.count - 1 ? "\n" : ",\n"
      }
      out += outer + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out + "\""
  }
}
