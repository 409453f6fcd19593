// The YAML under the rule files: text to nodes with places, every fault a diagnostic. Anchors and
// aliases are refused, since a few of them unfold into more text than memory holds.

import Yams

/// Parses the text of a rule file.
struct RuleYAML {
  /// Longer files are refused; the rules that come with the tool have 50 KB in their largest file.
  static let sizeLimit = 1 << 20
  /// Deeper nesting is refused before the parser, which recurses, sees it.
  ///
  /// A rule file has five levels.
  static let depthLimit = 32

  let file: String

  /// The document's root node.
  func root(of text: String) throws(RuleDiagnostic) -> Node {
    guard text.utf8.count <= Self.sizeLimit else {
      throw fault(1, 1, "at most \(Self.sizeLimit) bytes", "\(text.utf8.count) bytes")
    }
    try refuseTraps(in: text)
    do {
      guard let root = try Yams.compose(yaml: text) else {
        throw fault(1, 1, "a mapping with the key 'rules'", "an empty file")
      }
      return root
    } catch let error as RuleDiagnostic {
      throw error
    } catch let error as YamlError {
      throw diagnostic(of: error, in: text)
    } catch {
      throw fault(1, 1, "YAML", "\(error)")
    }
  }

  /// Refuses anchors, aliases and deep nesting, by a look at the characters alone.
  ///
  /// Quotes are not tracked, so a quoted word that begins with `*` or `&` is refused too; rules need none.
  private func refuseTraps(in text: String) throws(RuleDiagnostic) {
    var line = 1
    var column = 0
    var depth = 0
    var dashes = 0
    var indentation = 0
    var isIndentation = true
    var previous: Unicode.Scalar = "\n"
    var mark: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      column += 1
      if let open = mark {
        mark = nil
        if !Self.isBlank(scalar) {
          throw fault(
            line, column - 1, "a plain value", "'\(open)', which starts an anchor or an alias",
            "write the value out")
        }
      }
      switch scalar {
      case "\n":
        line += 1
        column = 0
        dashes = 0
        indentation = 0
        isIndentation = true
      case "[", "{": depth += 1
      case "]", "}": depth = max(0, depth - 1)
      case "-", "?", ":": dashes += 1
      case "*", "&":
        if Self.isBlank(previous) || "[{,".unicodeScalars.contains(previous) { mark = scalar }
      default: if !Self.isBlank(scalar) { dashes = 0 }
      }
      if !Self.isBlank(scalar) { isIndentation = false }
      if isIndentation, scalar == " " { indentation += 1 }
      if depth > Self.depthLimit || dashes > Self.depthLimit || column > 4096
        || !isIndentation && indentation > 4 * Self.depthLimit
      {
        throw fault(
          line, max(column, 1),
          "at most \(Self.depthLimit) levels in lines of at most 4096 characters",
          "deeper nesting or a longer line")
      }
      previous = scalar
    }
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case " ", "\t", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}": true
    default: false
    }
  }

  private func diagnostic(of error: YamlError, in text: String) -> RuleDiagnostic {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let detail = [context?.text, problem].compactMap(\.self).joined(separator: ", ")
      let hint = context.map { "begun at line \($0.mark.line), column \($0.mark.column)" } ?? ""
      return fault(mark.line, mark.column, "YAML", detail, hint)
    case .reader(let problem, let offset, _, _):
      let place = Self.place(ofCharacter: offset ?? 0, in: text)
      return fault(place.line, place.column, "YAML in UTF-8", problem)
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
      return fault(
        context.mark.line, context.mark.column, "each key once", "the key \(names) again",
        "remove one of them")
    default:
      return fault(1, 1, "YAML", "\(error)")
    }
  }

  private static func place(ofCharacter offset: Int, in text: String) -> (line: Int, column: Int) {
    let before = text.prefix(max(0, offset))
    let line = before.count(where: \.isNewline) + 1
    let lastLine = before.lastIndex(where: \.isNewline).map { before[$0...].dropFirst() } ?? before
    return (line, lastLine.count + 1)
  }

  private func fault(
    _ line: Int, _ column: Int, _ expected: String, _ found: String, _ hint: String = ""
  ) -> RuleDiagnostic {
    RuleDiagnostic(
      file: file, line: max(line, 1), column: max(column, 1), expected: expected, found: found,
      hint: hint)
  }
}

extension Node {
  /// What the node is, in words for a diagnostic.
  var summary: String {
    switch self {
    case .scalar(let scalar):
      let text = scalar.string
      return text.isEmpty
        ? "nothing" : "'\(text.count > 60 ? String(text.prefix(60)) + "…" : text)'"
    case .mapping: return "a mapping"
    case .sequence: return "a list"
    case .alias: return "an alias"
    }
  }
}
