// Reads rings, ELF notes, xenstore keys, states and references to protocols.

import Yams

extension SubjectReader {
  func ring(_ node: Node) -> Ring? {
    let keys = ["name", "request", "response", "notify", "cName"] + Self.entryKeys
    guard let map = mapping(node, "a ring", keys), let entry = entry(map),
      let request = map.identifier("request", required: true),
      let response = map.identifier("response", required: true)
    else { return nil }
    return Ring(
      entry: entry, request: request, response: response, notify: map.string("notify"),
      cName: map.identifier("cName") ?? entry.name)
  }

  func note(_ node: Node) -> ELFNote? {
    let keys =
      ["name", "number", "value", "required", "default", "before", "accepts"] + Self.entryKeys
    guard let map = mapping(node, "an ELF note", keys), let entry = entry(map),
      let number = map.integer("number", required: true),
      let value = map.string("value", required: true)
    else { return nil }
    return ELFNote(
      entry: entry, number: number, value: value, isRequired: map.boolean("required"),
      defaultValue: map.string("default"), before: map.string("before"),
      accepts: map.strings("accepts"))
  }

  func key(_ node: Node) -> XenstoreKey? {
    let keys =
      ["path", "name", "side", "type", "default", "feature", "values", "written"] + Self.entryKeys
    guard let map = mapping(node, "a xenstore key", keys),
      let path = map.string("path", required: true),
      let entry = entry(map, nameKey: map.has("name") ? "name" : "path", freeName: true),
      let side = map.string("side", required: true), let type = map.string("type", required: true)
    else { return nil }
    let types = [
      "u8", "u16", "u32", "u64", "i64", "bool", "string", "gref", "port", "domid", "path", "mac",
      "state", "enum",
    ]
    if !types.contains(type) {
      sink.error(
        map.position(of: "type"), "unknown type `\(type.excerpt)` of a xenstore key",
        hint: NearNames.hint(type, in: types) ?? "one of \(types.joined(separator: ", "))")
    }
    let sides = ["frontend", "backend", "toolstack"]
    if !sides.contains(side) {
      sink.error(
        map.position(of: "side"),
        "expected frontend, backend or toolstack for `side`, found `\(side.excerpt)`",
        hint: NearNames.hint(side, in: sides))
    }
    return XenstoreKey(
      entry: entry, path: path, side: side, type: type, defaultValue: map.string("default"),
      feature: map.string("feature"), values: map.string("values"), written: map.string("written"))
  }

  func state(_ node: Node) -> ProtocolState? {
    guard let map = mapping(node, "a state", ["name", "value", "next"] + Self.entryKeys),
      let entry = entry(map), let value = map.integer("value", required: true)
    else { return nil }
    return ProtocolState(entry: entry, value: value, next: map.strings("next"))
  }

  func reference(_ node: Node) -> ProtocolReference? {
    guard let map = mapping(node, "a protocol", ["name"] + Self.entryKeys),
      let entry = entry(map, freeName: true)
    else { return nil }
    return ProtocolReference(entry: entry)
  }
}
