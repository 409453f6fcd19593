// Reads structures and their fields.

import Yams

extension SubjectReader {
  func structure(_ node: Node) -> Structure? {
    let keys =
      [
        "name", "typedef", "cName", "kind", "size", "align", "packed", "fields", "stream", "arch",
      ] + Self.entryKeys
    guard let map = mapping(node, "a structure", keys), let entry = entry(map) else { return nil }
    let architecture: Architecture? = map.choice("arch")
    let size = sizes(map, "size")
    if size == nil, !map.has("size") {
      sink.error(
        map.position, "expected `size` for `\(entry.name)`, found no such key",
        hint: "size: N, or size: { x86_64: N, x86_32: M }")
    }
    let kind: StructureKind = map.choice("kind") ?? .struct
    let fields = map.list("fields").compactMap { field($0, depth: 0) }
    if map.list("fields").isEmpty {
      sink.error(map.position, "expected `fields` for `\(entry.name)`, found none")
    }
    return Structure(
      entry: entry, kind: kind, typedef: map.identifier("typedef"),
      cName: cName(map, kind) ?? "\(kind.rawValue) \(entry.name)",
      declaredSize: size ?? PerArchitecture(x86_64: nil, x86_32: nil),
      declaredAlignment: sizes(map, "align") ?? PerArchitecture(x86_64: nil, x86_32: nil),
      isPacked: map.boolean("packed"), fields: fields, stream: stream(map),
      architecture: architecture)
  }

  /// `struct foo`, `union foo` or a typedef's name.
  private func cName(_ map: MapReader, _ kind: StructureKind) -> String? {
    guard let name = map.string("cName") else { return nil }
    let words = name.split(separator: " ").map(String.init)
    let isTagged = words.count == 2 && words[0] == kind.rawValue && words[1].isIdentifier
    guard isTagged || name.isIdentifier else {
      sink.error(
        map.position(of: "cName"),
        "expected `\(kind.rawValue) NAME` or a typedef's name, found `\(name.excerpt)`")
      return nil
    }
    return name
  }

  private func sizes(_ map: MapReader, _ key: String) -> PerArchitecture<Int>? {
    map.perArchitecture(key) { node in
      guard let number = map.integer(node, key) else { return nil }
      guard number >= 0, number <= Int128(LayoutEngine.largestSize) else {
        sink.error(
          node.position(in: file),
          "expected `\(key)` between 0 and \(LayoutEngine.largestSize), found \(number)")
        return nil
      }
      return Int(number)
    }
  }

  private func stream(_ map: MapReader) -> StreamRing? {
    guard let node = map.node("stream") else { return nil }
    let keys = ["in", "inCons", "inProd", "out", "outCons", "outProd"]
    guard let part = mapping(node, "a stream", keys) else { return nil }
    let names = keys.map { part.identifier($0, required: true) }
    guard let input = names[0], let inputConsumer = names[1], let inputProducer = names[2],
      let output = names[3], let outputConsumer = names[4], let outputProducer = names[5]
    else { return nil }
    return StreamRing(
      input: input, inputConsumer: inputConsumer, inputProducer: inputProducer, output: output,
      outputConsumer: outputConsumer, outputProducer: outputProducer, position: part.position)
  }

  private func field(_ node: Node, depth: Int) -> Field? {
    let keys = [
      "name", "type", "struct", "union", "doc", "dir", "values", "pad", "arch", "offset",
      "since", "when",
    ]
    guard let map = mapping(node, "a field", keys) else { return nil }
    guard depth < YAMLLimits.fieldDepth else {
      sink.error(
        map.position, "expected at most \(YAMLLimits.fieldDepth) nested levels, found more")
      return nil
    }
    let contents = ["type", "struct", "union"].filter(map.has)
    guard contents.count == 1, let contentKey = contents.first else {
      sink.error(
        map.position,
        "expected one of `type`, `struct`, `union` for a field, found "
          + (contents.isEmpty ? "none" : contents.map { "`\($0)`" }.joined(separator: " and ")))
      return nil
    }
    let content: FieldContent
    if contentKey == "type" {
      guard let type = type(map) else { return nil }
      content = .type(type)
    } else {
      let members = map.list(contentKey).compactMap { field($0, depth: depth + 1) }
      if map.list(contentKey).isEmpty {
        sink.error(map.position(of: contentKey), "expected members in `\(contentKey)`, found none")
      }
      content = .members(contentKey == "union" ? .union : .struct, members)
    }
    let name = map.identifier("name", required: contentKey == "type")
    if contentKey == "type", name == nil { return nil }
    return Field(
      name: name, content: content, doc: map.string("doc"), direction: map.choice("dir"),
      values: map.string("values"), isPadding: map.boolean("pad"), architecture: map.choice("arch"),
      declaredOffset: sizes(map, "offset")
        ?? PerArchitecture(x86_64: nil, x86_32: nil),
      since: map.string("since"),
      position: map.has("name") ? map.position(of: "name") : map.position)
  }
}
