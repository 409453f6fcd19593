// Reads groups of constants.

import Yams

extension SubjectReader {
  func group(_ node: Node) -> ConstantGroup? {
    let keys = ["group", "type", "kind", "values"] + Self.entryKeys
    guard let map = mapping(node, "a group of constants", keys),
      let entry = entry(map, nameKey: "group", freeName: true)
    else { return nil }
    let kind: ConstantGroup.Kind = map.choice("kind", required: true) ?? .values
    let typeName = map.string("type", required: true)
    var valueType: TypeReference?
    if let typeName, typeName != "uint", typeName != "string" { valueType = type(map) }
    if (kind == .strings) != (typeName == "string") {
      sink.error(
        map.position(of: "type"),
        "expected `type: string` together with `kind: strings`, found `\(typeName ?? "nothing")`")
    }
    var reader = self
    reader.defaultSource = entry.source
    reader.defaultSince = entry.since
    let constants = map.list("values").compactMap { reader.constant($0, kind, entry) }
    if constants.isEmpty, map.list("values").isEmpty {
      sink.error(map.position, "expected `values` with at least one constant, found none")
    }
    return ConstantGroup(entry: entry, kind: kind, type: valueType, constants: constants)
  }

  private func constant(
    _ node: Node, _ kind: ConstantGroup.Kind, _ group: Entry
  ) -> Constant? {
    let keys =
      ["name", "value", "values", "arch", "cName", "alias", "mask"] + Self.entryKeys
    guard let map = mapping(node, "a constant", keys),
      var entry = entry(map, needsDoc: false)
    else { return nil }
    entry.isOwn = entry.isOwn || group.isOwn
    guard map.has("value") != map.has("values") else {
      sink.error(
        map.position, "expected `value` or `values` for `\(entry.name)`, found both or none")
      return nil
    }
    let convert = { (node: Node) -> ConstantValue? in
      if kind == .strings {
        if case .scalar(let scalar) = node { return .string(scalar.string) }
        sink.error(node.position(in: file), "expected text, found \(node.kindName)")
        return nil
      }
      return map.integer(node, "value").map(ConstantValue.integer)
    }
    guard var values = map.perArchitecture(map.has("value") ? "value" : "values", convert) else {
      return nil
    }
    if let only: Architecture = map.choice("arch") {
      for other in Architecture.allCases where other != only { values[other] = nil }
    }
    if values.any == nil {
      sink.error(map.position, "expected a value for an architecture, found none")
      return nil
    }
    return Constant(
      entry: entry, values: values, cName: map.identifier("cName") ?? entry.name,
      alias: map.identifier("alias"), isMask: map.boolean("mask"))
  }
}
