// Reads one mapping of a data file: values by key, each with its place, and a diagnostic for
// every key that nobody asked for.

package import Yams

/// A mapping whose keys are known beforehand.
package struct MapReader {
  package let file: String
  package let position: SourcePosition
  package let sink: DiagnosticSink
  private var entries: [String: Node] = [:]

  /// Reads `node`; a diagnostic, and no keys at all, where it is not a mapping.
  package init?(_ node: Node, what: String, keys: [String], file: String, sink: DiagnosticSink) {
    self.file = file
    self.sink = sink
    position = node.position(in: file)
    guard case .mapping(let mapping) = node else {
      sink.error(position, "expected a mapping for \(what), found \(node.kindName)")
      return nil
    }
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else {
        sink.error(key.position(in: file), "expected a key, found \(key.kindName)")
        continue
      }
      guard keys.contains(scalar.string) else {
        sink.error(
          key.position(in: file), "unknown key `\(scalar.string.excerpt)` in \(what)",
          hint: NearNames.hint(scalar.string, in: keys)
            ?? "the keys are \(keys.joined(separator: ", "))")
        continue
      }
      entries[scalar.string] = value
    }
  }

  package func has(_ key: String) -> Bool { entries[key] != nil }
  package func node(_ key: String) -> Node? { entries[key] }
  package func position(of key: String) -> SourcePosition {
    entries[key]?.position(in: file) ?? position
  }

  /// A text that must not be empty; a diagnostic where it is, or where it is required and missing.
  package func string(_ key: String, required: Bool = false) -> String? {
    guard let node = entries[key] else {
      if required { missing(key) }
      return nil
    }
    guard case .scalar(let scalar) = node, !node.isNull else {
      sink.error(position(of: key), "expected text for `\(key)`, found \(node.kindName)")
      return nil
    }
    let text = scalar.string.trimmed
    if text.isEmpty {
      sink.error(position(of: key), "expected text for `\(key)`, found an empty one")
      return nil
    }
    return text
  }

  /// A name as C spells one.
  func identifier(_ key: String, required: Bool = false) -> String? {
    guard let name = string(key, required: required) else { return nil }
    guard name.isIdentifier else {
      sink.error(
        position(of: key), "expected a name of letters, digits and `_`, found `\(name.excerpt)`")
      return nil
    }
    return name
  }

  package func integer(_ key: String, required: Bool = false) -> Int128? {
    guard let node = entries[key] else {
      if required { missing(key) }
      return nil
    }
    return integer(node, key)
  }

  package func integer(_ node: Node, _ key: String) -> Int128? {
    guard case .scalar(let scalar) = node, let number = Int128(abi: scalar.string) else {
      sink.error(
        node.position(in: file),
        "expected a number of at most 64 bits for `\(key)`, found \(node.excerpt)",
        hint: "decimal, or hexadecimal with 0x")
      return nil
    }
    return number
  }

  package func boolean(_ key: String) -> Bool {
    guard let node = entries[key] else { return false }
    if case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any {
      if scalar.string == "true" { return true }
      if scalar.string == "false" { return false }
    }
    sink.error(position(of: key), "expected true or false for `\(key)`, found \(node.excerpt)")
    return false
  }

  package func choice<Choice>(_ key: String, required: Bool = false) -> Choice?
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    guard let text = string(key, required: required) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    let all = Choice.allCases.map(\.rawValue)
    sink.error(
      position(of: key),
      "expected one of \(all.joined(separator: ", ")) for `\(key)`, found `\(text.excerpt)`",
      hint: NearNames.hint(text, in: all))
    return nil
  }

  /// The elements of a list; none where the key is absent.
  package func list(_ key: String) -> [Node] {
    guard let node = entries[key] else { return [] }
    guard case .sequence(let sequence) = node else {
      sink.error(position(of: key), "expected a list for `\(key)`, found \(node.kindName)")
      return []
    }
    return Array(sequence)
  }

  package func strings(_ key: String) -> [String] {
    list(key).compactMap { node in
      if case .scalar(let scalar) = node, !scalar.string.isEmpty { return scalar.string }
      sink.error(node.position(in: file), "expected text in `\(key)`, found \(node.kindName)")
      return nil
    }
  }

  /// One value for both architectures, or a mapping with one for each.
  func perArchitecture<Value>(
    _ key: String, _ convert: (Node) -> Value?
  ) -> PerArchitecture<Value>? {
    guard let node = entries[key] else { return nil }
    guard case .mapping = node else { return convert(node).map { PerArchitecture($0) } }
    guard
      let map = MapReader(
        node, what: "`\(key)`", keys: Architecture.allCases.map(\.rawValue), file: file, sink: sink)
    else { return nil }
    return PerArchitecture(
      x86_64: map.node("x86_64").flatMap(convert), x86_32: map.node("x86_32").flatMap(convert))
  }

  private func missing(_ key: String) {
    sink.error(position, "expected `\(key)`, found no such key here")
  }
}

extension Node {
  package func position(in file: String) -> SourcePosition {
    SourcePosition(file: file, line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1))
  }

  package var isNull: Bool {
    guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else {
      return false
    }
    return ["", "~", "null"].contains(scalar.string)
  }

  package var kindName: String {
    switch self {
    case .scalar(let scalar): isNull ? "nothing" : "`\(scalar.string.excerpt)`"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  package var excerpt: String { kindName }
}

extension String {
  /// At most forty characters of one line, for messages.
  package var excerpt: String {
    let line = prefix { !$0.isNewline }
    return line.count > 40 ? line.prefix(40) + "…" : String(line)
  }

  var trimmed: String {
    var slice = self[...]
    while slice.first?.isWhitespace == true { slice.removeFirst() }
    while slice.last?.isWhitespace == true { slice.removeLast() }
    return String(slice)
  }

  /// A name that C, Rust and Swift accept as it is.
  var isIdentifier: Bool {
    guard let first = utf8.first, utf8.count <= 128 else { return false }
    let isLetter = { (byte: UInt8) in
      (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == 0x5F
    }
    return isLetter(first) && utf8.allSatisfy { isLetter($0) || ($0 >= 0x30 && $0 <= 0x39) }
  }
}

extension Int128 {
  /// A number as abi/ writes it: decimal or hexadecimal, at most 64 bits, perhaps negative.
  init?(abi text: String) {
    var digits = text[...]
    let isNegative = digits.hasPrefix("-")
    if isNegative { digits = digits.dropFirst() }
    var radix: Int128 = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      radix = 16
      digits = digits.dropFirst(2)
    } else if digits.count > 1, digits.hasPrefix("0") {
      return nil
    }
    guard !digits.isEmpty, digits.utf8.count <= 20 else { return nil }
    var value: Int128 = 0
    for character in digits.utf8 {
      guard let digit = Character(Unicode.Scalar(character)).hexDigitValue, digit < radix else {
        return nil
      }
      value = value * radix + Int128(digit)
    }
    if isNegative { value = -value }
    guard value >= Int128(Int64.min), value <= Int128(UInt64.max) else { return nil }
    self = value
  }
}
