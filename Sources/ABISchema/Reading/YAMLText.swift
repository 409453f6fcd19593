// From bytes to a tree of YAML nodes, with limits: a data file cannot make the reader run out of
// memory, stack or time.

package import Yams

/// Limits of a data file, far above anything a person writes.
package enum YAMLLimits {
  package static let bytes = 4 << 20
  /// Structures inside structures; libyaml itself stops at a thousand nested nodes.
  static let fieldDepth = 8
}

/// Reads YAML text.
package enum YAMLText {
  /// The document's root; `nil` after a diagnostic.
  ///
  /// `form` says in messages what the file should be.
  package static func parse(
    _ text: String, file: String, form: String = "a mapping with `subject`",
    into sink: DiagnosticSink
  ) -> Node? {
    let start = SourcePosition(file: file, line: 1, column: 1)
    guard text.utf8.count <= YAMLLimits.bytes else {
      sink.error(
        start,
        "expected a file of at most \(YAMLLimits.bytes) bytes, found \(text.utf8.count) bytes")
      return nil
    }
    if let place = aliasPlace(text, file: file) {
      sink.error(
        place, "expected plain YAML, found an alias to an anchor",
        hint: "write the entry out: a small file must not become a large one")
      return nil
    }
    do {
      guard let root = try Yams.compose(yaml: text) else {
        sink.error(start, "expected \(form), found an empty file")
        return nil
      }
      return root
    } catch let error as YamlError {
      report(error, start, sink)
    } catch {
      sink.error(start, "expected YAML, found text that cannot be parsed: \(error)")
    }
    return nil
  }

  private static func report(_ error: YamlError, _ start: SourcePosition, _ sink: DiagnosticSink) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      let place = SourcePosition(
        file: start.file, line: max(1, mark.line), column: max(1, mark.column))
      sink.error(
        place, "expected YAML, found a fault: \(problem)",
        hint: "texts with `: `, `#`, `{` or a leading `*`, `&`, `!` need quotes")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let place = SourcePosition(
        file: start.file, line: max(1, context.mark.line), column: max(1, context.mark.column))
      sink.error(
        place,
        "expected each key once, found twice: "
          + duplicates.map { "`\($0)`" }.joined(separator: ", "),
        hint: "remove one of the two")
    case .reader(let problem, let offset, _, _):
      sink.error(start, "expected UTF-8 text, found a fault at byte \(offset ?? 0): \(problem)")
    default:
      sink.error(start, "expected YAML, found text that cannot be parsed: \(error)")
    }
  }

  /// The place of the first alias whose anchor the text defines.
  ///
  /// Yams resolves aliases while it reads, so a file that multiplies itself must be refused before.
  private static func aliasPlace(_ text: String, file: String) -> SourcePosition? {
    let bytes = Array(text.utf8)
    let anchors = Set(names(after: UInt8(ascii: "&"), in: bytes).map(\.name))
    guard !anchors.isEmpty else { return nil }
    let alias = names(after: UInt8(ascii: "*"), in: bytes).first { anchors.contains($0.name) }
    return alias.map { position(of: $0.offset, in: bytes, file: file) }
  }

  private static func names(
    after mark: UInt8, in bytes: [UInt8]
  ) -> [(offset: Int, name: ArraySlice<UInt8>)] {
    var found: [(offset: Int, name: ArraySlice<UInt8>)] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == mark {
        let end = bytes[(index + 1)...].firstIndex { !isNameByte($0) } ?? bytes.count
        if end > index + 1 { found.append((index, bytes[(index + 1)..<end])) }
        index = end
      } else {
        index += 1
      }
    }
    return found
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: byte >= 0x80
    }
  }

  private static func position(of offset: Int, in bytes: [UInt8], file: String) -> SourcePosition {
    let before = bytes[..<offset]
    let line = before.reduce(into: 1) { if $1 == UInt8(ascii: "\n") { $0 += 1 } }
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return SourcePosition(file: file, line: line, column: offset - start + 1)
  }
}
