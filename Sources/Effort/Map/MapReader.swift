// Reads a map from YAML. Every fault has a line and a column, and says what was expected.

import Yams

extension EffortMap {
  /// Reads the map `text`, which messages call `file`.
  public init(yaml text: String, file: String) throws(EffortError) {
    self.init()
    let reader = MapReader(file: file)
    try reader.read(text, into: &self)
  }
}

/// Reads one map.
private struct MapReader {
  static let largest = 1 << 20
  let file: String

  func read(_ text: String, into map: inout EffortMap) throws(EffortError) {
    guard text.utf8.count <= Self.largest else {
      throw fault(nil, "a map of at most \(Self.largest) bytes", "\(text.utf8.count) bytes")
    }
    try refuseAnchors(text)
    let root = try mapping(compose(text), "a mapping", ["paths", "sections", "denominator"])
    for (key, node) in root {
      switch key {
      case "paths": map.paths = try paths(node)
      case "sections": map.sections = try sections(node)
      default: try denominator(node, into: &map)
      }
    }
    // What the map leaves out is as in the built-in one.
    if root["sections"] == nil { map.sections = EffortMap.builtIn.sections }
    if map.include.isEmpty { map.include = EffortMap.builtIn.include }
    if root["denominator"] == nil { map.exclude = EffortMap.builtIn.exclude }
  }

  private func compose(_ text: String) throws(EffortError) -> Node {
    let expected = "a YAML mapping with `paths`, `sections` or `denominator`"
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw fault(nil, expected, "an empty file")
      }
      return node
    } catch let error as EffortError {
      throw error
    } catch let error as YamlError {
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        throw fault(mark, "YAML; patterns that begin with `*` need quotes", problem)
      case .duplicatedKeysInMapping(_, let context):
        throw fault(context.mark, "each key once", "a key twice")
      case .reader(let problem, let offset, _, _):
        throw fault(nil, "UTF-8 text", "\(problem) at byte \(offset ?? 0)")
      default:
        throw fault(nil, "YAML", "\(error)")
      }
    } catch {
      throw fault(nil, "YAML", "\(error)")
    }
  }

  /// Anchors let a small file become a large one; a map needs none.
  private func refuseAnchors(_ text: String) throws(EffortError) {
    var line = 1
    var column = 1
    var before: UInt8 = 0x0A
    for byte in text.utf8 {
      if byte == UInt8(ascii: "&"), [0x0A, 0x20, 0x09, 0x5B, 0x2C, 0x7B].contains(before) {
        throw .map(
          file: file, line: line, column: column, expected: "plain YAML", found: "an anchor")
      }
      if byte == 0x0A {
        line += 1
        column = 1
      } else {
        column += 1
      }
      before = byte
    }
  }

  private func paths(_ node: Node) throws(EffortError) -> [EffortMap.PathPair] {
    guard case .mapping(let mapping) = node else {
      throw fault(node.mark, "a mapping from port paths to base paths for `paths`", kind(node))
    }
    var pairs: [EffortMap.PathPair] = []
    for (key, value) in mapping {
      let port = try path(key)
      guard !port.isEmpty else { throw fault(key.mark, "a path of the port", "an empty one") }
      pairs.append(.init(port: port, base: try path(value)))
    }
    return pairs
  }

  private func path(_ node: Node) throws(EffortError) -> String {
    let text = try string(node, "a path")
    let parts = text.split(separator: "/")
    guard !text.hasPrefix("/"), !parts.contains(".."), !text.utf8.contains(0) else {
      throw fault(node.mark, "a path from the tree's root, without `..`", "`\(text)`")
    }
    return parts.filter { $0 != "." }.joined(separator: "/")
  }

  private func sections(_ node: Node) throws(EffortError) -> [EffortMap.Rule] {
    guard case .sequence(let sequence) = node, !sequence.isEmpty else {
      throw fault(node.mark, "a list of sections for `sections`", kind(node))
    }
    var rules: [EffortMap.Rule] = []
    for item in sequence {
      let fields = try mapping(
        item, "a section with `name` and `match`", ["name", "match", "count", "why"])
      guard let name = fields["name"] else {
        throw fault(item.mark, "`name` in a section", "none")
      }
      guard let match = fields["match"] else {
        throw fault(item.mark, "`match` in a section", "none")
      }
      let text = try string(name, "a name")
      guard !text.isEmpty, text != EffortMap.unplaced else {
        throw fault(
          name.mark, "a name that is not empty and not `\(EffortMap.unplaced)`", "`\(text)`")
      }
      let counted =
        try fields["count"].map(boolean) ?? EffortMap.paperSections.contains(text)
      // One section is in the total or it is not.
      if let other = rules.first(where: { $0.name == text }), other.isCounted != counted {
        throw fault(
          item.mark, "`count: \(other.isCounted)` as in the first section named `\(text)`",
          "\(counted)")
      }
      rules.append(
        EffortMap.Rule(
          text, try globs(match), counted: counted,
          why: try fields["why"].map { node throws(EffortError) in try string(node, "text") }))
    }
    return rules
  }

  private func denominator(_ node: Node, into map: inout EffortMap) throws(EffortError) {
    let fields = try mapping(node, "`include` and `exclude`", ["include", "exclude"])
    if let include = fields["include"] { map.include = try globs(include) }
    if let exclude = fields["exclude"] { map.exclude = try globs(exclude) }
  }

  private func globs(_ node: Node) throws(EffortError) -> [Glob] {
    let nodes: [Node] = if case .sequence(let list) = node { Array(list) } else { [node] }
    var globs: [Glob] = []
    for node in nodes {
      let text = try string(node, "a pattern")
      guard let glob = Glob(text) else {
        throw fault(
          node.mark, "a pattern of 1 to \(Glob.longest) bytes", "\(text.utf8.count) bytes")
      }
      globs.append(glob)
    }
    return globs
  }

  private func boolean(_ node: Node) throws(EffortError) -> Bool {
    switch try string(node, "true or false") {
    case "true": return true
    case "false": return false
    case let text: throw fault(node.mark, "true or false for `count`", "`\(text)`")
    }
  }

  private func string(_ node: Node, _ expected: String) throws(EffortError) -> String {
    guard case .scalar(let scalar) = node else { throw fault(node.mark, expected, kind(node)) }
    return scalar.string
  }

  private func mapping(
    _ node: Node, _ expected: String, _ keys: [String]
  ) throws(EffortError) -> [String: Node] {
    guard case .mapping(let mapping) = node else {
      throw fault(node.mark, expected, kind(node))
    }
    var fields: [String: Node] = [:]
    for (key, value) in mapping {
      let name = try string(key, "a key")
      guard keys.contains(name) else {
        throw fault(key.mark, "one of the keys \(keys.joined(separator: ", "))", "`\(name)`")
      }
      fields[name] = value
    }
    return fields
  }

  private func kind(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "`\(scalar.string.prefix(40))`"
    case .mapping: "a mapping"
    case .sequence(let list): list.isEmpty ? "an empty list" : "a list"
    case .alias: "an alias"
    }
  }

  private func fault(_ mark: Mark?, _ expected: String, _ found: String) -> EffortError {
    .map(
      file: file, line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1),
      expected: expected, found: found)
  }
}
