// The rules of the audit as one book: rules/*.yaml read and checked against each other. The command
// itself carries them compiled in (Generated/BuiltinRules.swift) and reads no YAML of ours at run time.

import Disassembly
import Yams

/// The rules, file by file.
public struct RuleBook: Sendable {
  /// The rules of one file.
  public struct Chapter: Sendable {
    /// The file's name without folder and ending: `control-registers`.
    public var name: String
    public var rules: [Rule]

    public init(name: String, rules: [Rule]) {
      self.name = name
      self.rules = rules
    }
  }

  public var chapters: [Chapter]

  /// All rules, in the order of the files' names.
  public var rules: [Rule] { chapters.flatMap(\.rules) }

  public init(chapters: [Chapter]) {
    self.chapters = chapters
  }

  /// The rules that come with the tool.
  public static var builtin: RuleBook { RuleBook(chapters: builtinChapters()) }

  /// Reads one file of rules.
  ///
  /// - Throws: ``RuleFileError`` with every fault found, each with its place.
  public static func load(yaml: String, file: String) throws(RuleFileError) -> RuleBook {
    try load([(file, yaml)])
  }

  /// Reads several files, and checks that no two rules share an identifier or an encoding.
  ///
  /// - Throws: ``RuleFileError`` with every fault found, each with its place.
  public static func load(
    _ files: [(file: String, yaml: String)]
  ) throws(RuleFileError) -> RuleBook {
    var chapters: [Chapter] = []
    var diagnostics: [RuleDiagnostic] = []
    var uniqueness = Uniqueness()
    for (file, yaml) in files {
      var reader = RuleFileReader(file: file)
      let located = reader.read(yaml)
      for rule in located { uniqueness.check(rule, with: &reader) }
      diagnostics += reader.diagnostics
      chapters.append(Chapter(name: name(of: file), rules: located.map(\.rule)))
    }
    guard diagnostics.isEmpty else {
      throw RuleFileError(diagnostics: Array(diagnostics.prefix(RuleFileError.limit)))
    }
    return RuleBook(chapters: chapters)
  }

  private static func name(of file: String) -> String {
    let last = file.split(separator: "/").last ?? ""
    return String(last.hasSuffix(".yaml") ? last.dropLast(5) : last)
  }
}

/// What was seen in all files so far, so that the second of a kind is found.
private struct Uniqueness {
  private struct Seen {
    var pattern: EncodingPattern
    var modes: Set<DecodingMode>
    var rule: String
  }

  private var identifiers: Set<String> = []
  private var encodings: [Int: [Seen]] = [:]

  mutating func check(_ located: RuleFileReader.Located, with reader: inout RuleFileReader) {
    let rule = located.rule
    if !identifiers.insert(rule.id).inserted {
      reader.report(located.place, "an identifier of its own", "'\(rule.id)' again")
    }
    for (encoding, place) in zip(rule.encodings, located.encodingPlaces) {
      guard let pattern = try? EncodingPattern(parsing: encoding.pattern) else { continue }
      let key = Int(pattern.map) << 8 | Int(pattern.opcode)
      let twin = encodings[key]?.first {
        $0.pattern == pattern && !$0.modes.isDisjoint(with: encoding.modes)
      }
      if let twin {
        reader.report(
          place, "an encoding that no other rule takes",
          "'\(encoding.pattern)', taken by '\(twin.rule)'"
        )
      }
      encodings[key, default: []].append(
        Seen(pattern: pattern, modes: encoding.modes, rule: rule.id))
    }
  }
}
