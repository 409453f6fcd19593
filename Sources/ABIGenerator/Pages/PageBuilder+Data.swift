// Pages of structures, constants and what devices agree on.

import ABISchema

extension PageBuilder {
  func structure(_ structure: Structure, _ level: Int, hasExamples: Bool = true) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("C", "`\(CEmitter(generator: Generator(abi: abi)).tag(structure))`")
    ]
    if let typedef = structure.typedef { facts.append(("Also", "`\(typedef)`")) }
    if let only = structure.architecture { facts.append(("Only on", only.rawValue)) }
    let users = abi.hypercalls.flatMap { hypercall in
      hypercall.operations.filter { $0.argument?.containedName == structure.entry.name }
        .map(\.entry.name)
    }
    if !users.isEmpty { facts.append(("Argument of", users.joined(separator: ", "))) }
    var blocks = head(structure.entry, structure.kind.rawValue, level, facts: facts)
    blocks.append(.code(language: "text", lines: LayoutTable.draw(structure, in: abi)))
    blocks += fields(structure)
    if hasExamples {
      blocks += values(structure, level + 1)
      blocks += examples(Examples(abi: abi).structure(structure), level + 1)
    }
    return blocks
  }

  /// What the fields mean.
  func fields(_ structure: Structure) -> [Block] {
    var rows: [[String]] = []
    func walk(_ fields: [Field], _ prefix: String) {
      for field in fields {
        let path = prefix + (field.name ?? "")
        if !field.isPadding, field.name != nil {
          let values = field.values.map { " Values: \($0)." } ?? ""
          let only = field.architecture.map { " Only on \($0.rawValue)." } ?? ""
          let text = Prose.line((field.doc ?? "") + values + only)
          if !text.isEmpty { rows.append([path, field.direction?.rawValue ?? "-", text]) }
        }
        if case .members(_, let inner) = field.content {
          walk(inner, field.name == nil ? prefix : path + ".")
        }
      }
    }
    walk(structure.fields, "")
    return rows.isEmpty ? [] : [.table(header: ["field", "way", "meaning"], rows: rows)]
  }

  /// The constants that the fields take, one table a group.
  func values(_ structure: Structure, _ level: Int) -> [Block] {
    var names: [String] = []
    func walk(_ fields: [Field], _ depth: Int) {
      for field in fields {
        if let name = field.values, !names.contains(name) { names.append(name) }
        switch field.content {
        case .members(_, let inner): walk(inner, depth)
        case .type(let type):
          if depth < 4, let inner = type.containedName.flatMap({ abi.structure($0) }) {
            walk(inner.fields, depth + 1)
          }
        }
      }
    }
    walk(structure.fields, 0)
    return names.flatMap { name in
      abi.constantGroups.first { $0.entry.name == name }.map { group in
        [
          Block.heading(level, "Values of \(name)"), .paragraph(group.entry.doc), table(group),
        ]
      } ?? []
    }
  }

  func scalar(_ scalar: ScalarType, _ level: Int) -> [Block] {
    head(scalar.entry, "type", level, facts: [("Type", "`\(scalar.type.notation)`")])
  }

  func group(_ group: ConstantGroup, _ level: Int) -> [Block] {
    var blocks = head(
      group.entry, "constants", level, facts: [("Type", "`\(group.type?.notation ?? "number")`")])
    blocks.append(table(group))
    return blocks
  }

  private func table(_ group: ConstantGroup) -> Block {
    let rows = group.constants.map { constant in
      [constant.entry.name, value(constant.values, group), Prose.line(constant.entry.doc)]
    }
    return .table(header: ["name", "value", "meaning"], rows: rows)
  }

  func constant(_ constant: Constant, in group: ConstantGroup, _ level: Int) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("Value", value(constant.values, group)),
      ("Group", "\(group.entry.name): \(Prose.summary(group.entry.doc))"),
    ]
    if let alias = constant.alias { facts.append(("Another name of", alias)) }
    let name = constant.entry.name
    var blocks = head(constant.entry, "constant", level, facts: facts)
    blocks.append(.code(language: "c", lines: ["/* C: */ \(name)", "// Rust: xenabi::\(name)"]))
    return blocks
  }

  private func value(_ values: PerArchitecture<ConstantValue>, _ group: ConstantGroup) -> String {
    let text = { (value: ConstantValue) -> String in
      switch value {
      case .integer(let number):
        Number.text(number, hexadecimal: group.kind == .flags)
      case .string(let text): "\"\(text)\""
      }
    }
    if let common = values.common { return text(common) }
    return values.architectures.map { "\(values[$0].map(text) ?? "") on \($0.rawValue)" }
      .joined(separator: ", ")
  }

  func ring(_ ring: Ring, _ level: Int) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("Request", "`\(ring.request)`"), ("Response", "`\(ring.response)`"),
    ]
    if let notify = ring.notify { facts.append(("Notification", notify)) }
    var blocks = head(ring.entry, "ring", level, facts: facts)
    let name = ring.cName
    blocks.append(
      .code(
        language: "c",
        lines: [
          "struct xenabi_ring ring;", "\(name)_front_init(&ring, page, 4096);",
          "\(name)_front_put(&ring, &request);",
          "if (xenabi_front_push(&ring)) { /* notify the event channel */ }",
        ]))
    return blocks
  }

  func note(_ note: ELFNote, _ level: Int) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("Number", String(note.number)), ("Contents", note.value),
      ("Required", note.isRequired ? "yes" : "no"),
    ]
    if let value = note.defaultValue { facts.append(("Default", value)) }
    if let before = note.before { facts.append(("Before", before)) }
    if !note.accepts.isEmpty {
      facts.append(("Known to Xen", note.accepts.map { "`\($0)`" }.joined(separator: ", ")))
    }
    return head(note.entry, "ELF note", level, facts: facts)
  }

  func key(_ key: XenstoreKey, _ level: Int) -> [Block] {
    var facts: [(label: String, text: String)] = [
      ("Path", "`\(key.path)`"), ("Written by", key.side), ("Type", key.type),
    ]
    if let value = key.defaultValue { facts.append(("Default", value)) }
    if let values = key.values { facts.append(("Values", values)) }
    if let feature = key.feature { facts.append(("Feature", feature)) }
    if let written = key.written { facts.append(("Written", written)) }
    return head(key.entry, "xenstore key", level, facts: facts)
  }

  func state(_ state: ProtocolState, _ level: Int) -> [Block] {
    head(
      state.entry, "state", level,
      facts: [
        ("Value", String(state.value)),
        ("May be followed by", state.next.isEmpty ? "nothing" : state.next.joined(separator: ", ")),
      ])
  }
}
