// One rule file, node by node: the keys of each mapping, the words of each enumeration. Collects all
// faults before it gives up, so that an author sees them in one run.

import Disassembly
import Yams

/// Reads the rules of one file.
struct RuleFileReader {
  /// A rule and the places in the text that later checks speak about.
  struct Located {
    var rule: Rule
    var place: Mark?
    var encodingPlaces: [Mark?]
  }

  let file: String
  private(set) var diagnostics: [RuleDiagnostic] = []

  init(file: String) {
    self.file = file
  }

  mutating func read(_ text: String) -> [Located] {
    let root: Node
    do {
      root = try RuleYAML(file: file).root(of: text)
    } catch {
      diagnostics.append(error)
      return []
    }
    guard let fields = mapping(root, keys: ["rules"], of: "a rule file") else { return [] }
    guard let node = fields["rules"] else {
      report(root, "the key 'rules'", "a mapping without it")
      return []
    }
    guard let items = node.sequence else {
      report(node, "a list of rules", node.summary)
      return []
    }
    return items.compactMap { rule($0) }
  }

  mutating func report(
    _ place: Mark?, _ expected: String, _ found: String, hint: String = ""
  ) {
    guard diagnostics.count < RuleFileError.limit else { return }
    diagnostics.append(
      RuleDiagnostic(
        file: file, line: place?.line ?? 1, column: place?.column ?? 1, expected: expected,
        found: found, hint: hint))
  }

  private mutating func report(
    _ node: Node, _ expected: String, _ found: String, hint: String = ""
  ) {
    report(node.mark, expected, found, hint: hint)
  }
}

// MARK: A rule

extension RuleFileReader {
  private static let ruleKeys = [
    "id", "title", "class", "kind", "summary", "source", "encodings", "pv", "pv64", "pv32", "pvh",
  ]

  private mutating func rule(_ node: Node) -> Located? {
    guard let fields = mapping(node, keys: Self.ruleKeys, of: "a rule") else { return nil }
    let id = identifier(fields, in: node)
    let title = text(fields, "title", in: node)
    let ruleClass = word(fields, "class", in: node, of: RuleClass.self)
    let kind = word(fields, "kind", in: node, of: RuleKind.self)
    let summary = sentence(fields, "summary", in: node)
    let source = text(fields, "source", in: node)
    let outcomes = outcomes(fields, in: node)
    let encodings = encodings(fields, in: node)
    guard let id, let title, let ruleClass, let kind, let summary, let source else { return nil }
    let rule = Rule(
      id: id, title: title, ruleClass: ruleClass, kind: kind, summary: summary, source: source,
      guide: RuleReference.path + "#" + id, outcomes: outcomes, encodings: encodings.map(\.0))
    return Located(
      rule: rule, place: fields["id"]?.mark ?? node.mark, encodingPlaces: encodings.map(\.1))
  }

  private mutating func identifier(_ fields: [String: Node], in node: Node) -> String? {
    guard let id = text(fields, "id", in: node), let place = fields["id"] else { return nil }
    let isGood =
      id.first?.isLetter == true
      && id.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
    if !isGood {
      report(place, "an identifier of lower-case letters, digits and hyphens", "'\(id)'")
      return nil
    }
    return id
  }

  private mutating func outcomes(_ fields: [String: Node], in node: Node) -> [Target: RuleOutcome] {
    var outcomes: [Target: RuleOutcome] = [:]
    if let both = fields["pv"] {
      for target in [Target.pv64, .pv32] {
        if let single = fields[target.rawValue] {
          report(
            single, "either 'pv' or 'pv64' and 'pv32'", "both", hint: "'pv' stands for the two")
        }
      }
      let value = outcome(both)
      outcomes[.pv64] = value
      outcomes[.pv32] = value
    }
    for target in Target.allCases where outcomes[target] == nil {
      if let single = fields[target.rawValue] {
        outcomes[target] = outcome(single)
      } else if fields["pv"] == nil || target == .pvh {
        report(
          node, "what becomes of it under each target", "nothing for '\(target.rawValue)'",
          hint: "add a mapping with disposition and why")
      }
    }
    return outcomes
  }

  private mutating func outcome(_ node: Node) -> RuleOutcome? {
    guard
      let fields = mapping(node, keys: ["disposition", "why", "replacement"], of: "an outcome")
    else { return nil }
    let disposition = word(fields, "disposition", in: node, of: Disposition.self)
    let why = sentence(fields, "why", in: node)
    var replacement: String?
    if fields["replacement"] != nil { replacement = text(fields, "replacement", in: node) }
    if disposition == .replace, fields["replacement"] == nil {
      report(node, "the key 'replacement'", "a disposition 'replace' without it")
    }
    guard let disposition, let why else { return nil }
    return RuleOutcome(disposition: disposition, why: why, replacement: replacement)
  }
}

// MARK: Encodings

extension RuleFileReader {
  private mutating func encodings(
    _ fields: [String: Node], in node: Node
  ) -> [(RuleEncoding, Mark?)] {
    guard let list = fields["encodings"] else {
      report(node, "the key 'encodings'", "a rule without it")
      return []
    }
    guard let items = list.sequence, !items.isEmpty else {
      report(list, "a list of at least one encoding", list.summary)
      return []
    }
    return items.compactMap { item in encoding(item).map { ($0, item.mark) } }
  }

  private mutating func encoding(_ node: Node) -> RuleEncoding? {
    if let scalar = node.scalar {
      return isPattern(scalar.string, at: node)
        ? RuleEncoding(pattern: scalar.string, text: nil) : nil
    }
    guard
      let fields = mapping(node, keys: ["pattern", "text", "modes"], of: "an encoding"),
      let pattern = text(fields, "pattern", in: node), let place = fields["pattern"],
      isPattern(pattern, at: place)
    else { return nil }
    var shown: String?
    if let node = fields["text"] {
      shown = text(fields, "text", in: node)
      checkPlaces(in: shown ?? "", at: node)
    }
    return RuleEncoding(pattern: pattern, text: shown, modes: modes(fields["modes"]))
  }

  private mutating func isPattern(_ text: String, at node: Node) -> Bool {
    do {
      _ = try EncodingPattern(parsing: text)
      return true
    } catch {
      let word = error.word.isEmpty ? "'\(text)'" : "'\(error.word)' in '\(text)'"
      report(node, error.expected, word)
      return false
    }
  }

  private mutating func modes(_ node: Node?) -> Set<DecodingMode> {
    guard let node else { return Set(DecodingMode.allCases) }
    let words = node.sequence?.map { $0.scalar?.string ?? "" } ?? []
    let modes = words.map { word in DecodingMode.allCases.first { "\($0.rawValue)" == word } }
    if modes.isEmpty || modes.contains(nil) || Set(modes).count < modes.count {
      report(node, "a list of the modes 16, 32 and 64, each at most once", node.summary)
    }
    return Set(modes.compactMap(\.self))
  }

  private static let places: Set<String> = [
    "m", "m8", "m16", "m32", "m64", "m128", "m512", "rm16", "rm32", "rm64", "rm128", "rmv", "rmp",
    "reg16", "reg32", "reg64", "reg128", "regv", "regp", "imm8", "imm32",
  ]

  private mutating func checkPlaces(in text: String, at node: Node) {
    for part in text.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
      let name = part.prefix { $0 != "}" }
      if name.count == part.count || !Self.places.contains(String(name)) {
        report(
          node, "a place for an operand, such as {m64}, {rm32} or {imm8}", "'{\(name.prefix(20))'")
      }
    }
  }
}

// MARK: Values

extension RuleFileReader {
  /// The fields of a mapping; `nil`, and a diagnostic, where the node is none.
  private mutating func mapping(_ node: Node, keys: [String], of what: String) -> [String: Node]? {
    guard let pairs = node.mapping else {
      report(node, "a mapping: \(what)", node.summary)
      return nil
    }
    var fields: [String: Node] = [:]
    for (key, value) in pairs {
      guard let name = key.scalar?.string, keys.contains(name) else {
        report(key, "one of the keys \(keys.joined(separator: ", "))", key.summary)
        continue
      }
      fields[name] = value
    }
    return fields
  }

  private mutating func text(_ fields: [String: Node], _ key: String, in node: Node) -> String? {
    guard let value = fields[key] else {
      report(node, "the key '\(key)'", "a mapping without it")
      return nil
    }
    guard let text = value.scalar?.string, text.contains(where: { !$0.isWhitespace }) else {
      report(value, "text for '\(key)'", value.summary)
      return nil
    }
    guard text.allSatisfy({ !$0.isNewline }) else {
      report(value, "one line of text for '\(key)'", "several", hint: "fold it with '>-'")
      return nil
    }
    return text
  }

  /// Text that ends as a sentence does: a blank and `#` in plain YAML cut the rest off in silence.
  private mutating func sentence(_ fields: [String: Node], _ key: String, in node: Node) -> String?
  {
    guard let text = text(fields, key, in: node), let value = fields[key] else { return nil }
    if !text.hasSuffix(".") {
      report(
        value, "a sentence with a full stop for '\(key)'", "'…\(text.suffix(20))'",
        hint: "' #' begins a comment; fold the text with '>-'")
    }
    return text
  }

  private mutating func word<Value: RawRepresentable & CaseIterable>(
    _ fields: [String: Node], _ key: String, in node: Node, of: Value.Type
  ) -> Value? where Value.RawValue == String {
    guard let text = text(fields, key, in: node), let place = fields[key] else { return nil }
    if let value = Value(rawValue: text) { return value }
    let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
    report(place, "one of \(words)", place.summary)
    return nil
  }
}
