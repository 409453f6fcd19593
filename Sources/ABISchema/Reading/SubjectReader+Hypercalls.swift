// Reads hypercalls and their operations.

import Yams

extension SubjectReader {
  func hypercall(_ node: Node) -> Hypercall? {
    let keys =
      [
        "name", "number", "callers", "arch", "arguments", "returns", "errors", "before",
        "preemption", "operations", "numberOnly", "wrapper",
      ] + Self.entryKeys
    guard let map = mapping(node, "a hypercall", keys), let entry = entry(map) else { return nil }
    guard
      var number = map.perArchitecture("number", { number($0, map) })
    else {
      if !map.has("number") {
        sink.error(map.position, "expected `number` for `\(entry.name)`, found no such key")
      }
      return nil
    }
    if let only: Architecture = map.choice("arch") {
      for other in Architecture.allCases where other != only { number[other] = nil }
    }
    var reader = self
    reader.defaultSource = entry.source
    reader.defaultSince = entry.since
    let caller: Caller = map.choice("callers", required: true) ?? .guest
    let numberOnly = map.boolean("numberOnly")
    let arguments = map.list("arguments").compactMap(argument)
    if arguments.count > 6 {
      sink.error(map.position(of: "arguments"), "expected at most 6 arguments, found more")
    }
    return Hypercall(
      entry: entry, number: number, caller: caller, arguments: Array(arguments.prefix(6)),
      returns: map.string("returns"), errors: errors(map), before: map.string("before"),
      preemption: map.string("preemption"),
      operations: map.list("operations").compactMap { reader.operation($0, caller) },
      numberOnly: numberOnly, hasWrapper: map.has("wrapper") ? map.boolean("wrapper") : !numberOnly)
  }

  private func number(_ node: Node, _ map: MapReader) -> Int128? {
    guard let number = map.integer(node, "number") else { return nil }
    guard number >= 0, number < 128 else {
      sink.error(
        node.position(in: file), "expected a hypercall number between 0 and 127, found \(number)",
        hint: "the hypercall page has 128 slots")
      return nil
    }
    return number
  }

  private func argument(_ node: Node) -> HypercallArgument? {
    guard let map = mapping(node, "an argument", ["name", "type", "doc", "values", "arch"]),
      let name = map.identifier("name", required: true), let type = type(map)
    else { return nil }
    return HypercallArgument(
      name: name, type: type, doc: map.string("doc"), values: map.string("values"),
      architecture: map.choice("arch"), position: map.position(of: "name"))
  }

  private func errors(_ map: MapReader) -> [ErrorCase] {
    map.list("errors").compactMap { node in
      guard let map = mapping(node, "an error", ["code", "when"]),
        let code = map.identifier("code", required: true),
        let when = map.string("when", required: true)
      else { return nil }
      return ErrorCase(code: code, when: when, position: map.position(of: "code"))
    }
  }

  private func operation(_ node: Node, _ caller: Caller) -> Operation? {
    let keys =
      [
        "name", "number", "argument", "batch", "callers", "returns", "errors", "before",
        "preemption", "alias", "cName", "arch",
      ] + Self.entryKeys
    guard let map = mapping(node, "an operation", keys), let entry = entry(map),
      let number = map.integer("number", required: true)
    else { return nil }
    return Operation(
      entry: entry, number: number,
      argument: map.has("argument") ? type(map, "argument") : nil, isBatch: map.boolean("batch"),
      architecture: map.choice("arch"), caller: map.choice("callers") ?? caller,
      returns: map.string("returns"), errors: errors(map), before: map.string("before"),
      preemption: map.string("preemption"), alias: map.identifier("alias"),
      cName: map.identifier("cName") ?? entry.name)
  }
}
