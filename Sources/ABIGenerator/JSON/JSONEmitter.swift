// The whole model as one JSON document, with the layouts of both architectures.

import ABISchema

/// Emits the document.
struct JSONEmitter {
  let generator: Generator

  func text() -> String {
    JSONValue.object([
      (key: "schema", value: .string("xenograft.abi/1")),
      (key: "generated", value: .string(generator.origin(nil))),
      (
        key: "architectures",
        value: .array(generator.architectures.map { .string($0.rawValue) })
      ),
      (key: "subjects", value: .array(generator.abi.subjects.map(subject))),
    ]).text()
  }

  private func subject(_ subject: Subject) -> JSONValue {
    .compact([
      ("name", .string(subject.name)), ("title", .string(subject.title)),
      ("doc", .string(Prose.line(subject.entry.doc))), ("source", .string(subject.entry.source)),
      (
        "topics",
        list(subject.topics) {
          .compact([
            ("name", .string($0.name)), ("title", .string($0.title)), ("doc", .string($0.doc)),
          ])
        }
      ),
      ("constants", list(subject.constants + subject.impliedConstants, group)),
      (
        "types",
        list(subject.types) {
          .compact(entry($0.entry) + [("type", .string($0.type.notation))])
        }
      ),
      ("structures", list(subject.structures, structure)),
      ("hypercalls", list(subject.hypercalls, hypercall)),
      (
        "rings",
        list(subject.rings) {
          .compact(
            entry($0.entry) + [
              ("request", .string($0.request)), ("response", .string($0.response)),
              ("notify", text($0.notify)),
            ])
        }
      ),
      ("notes", list(subject.notes, note)),
      ("keys", list(subject.keys, key)),
      (
        "states",
        list(subject.states) {
          .compact(
            entry($0.entry) + [
              ("value", .integer($0.value)), ("next", .array($0.next.map(JSONValue.string))),
            ])
        }
      ),
      ("protocols", list(subject.protocols) { .compact(entry($0.entry)) }),
    ])
  }

  private func list<Value>(_ values: [Value], _ convert: (Value) -> JSONValue) -> JSONValue? {
    values.isEmpty ? nil : .array(values.map(convert))
  }

  private func text(_ text: String?) -> JSONValue? {
    text.map { .string(Prose.line($0)) }
  }

  private func entry(_ entry: Entry) -> [(String, JSONValue?)] {
    [
      ("name", .string(entry.name)), ("doc", entry.doc.isEmpty ? nil : text(entry.doc)),
      ("source", .string(entry.source)), ("since", .string(entry.since)),
      ("when", text(entry.when)), ("deprecated", text(entry.deprecated)),
      ("own", entry.isOwn ? .boolean(true) : nil),
    ]
  }

  private func group(_ group: ConstantGroup) -> JSONValue {
    let constants = group.constants.map { constant in
      JSONValue.compact(
        entry(constant.entry) + [
          ("value", value(constant.values)), ("alias", text(constant.alias)),
        ])
    }
    return .compact(
      entry(group.entry) + [
        ("kind", .string(group.kind.rawValue)), ("type", text(group.type?.notation)),
        ("values", .array(constants)),
      ])
  }

  private func value(_ values: PerArchitecture<ConstantValue>) -> JSONValue {
    if let common = values.common { return one(common) }
    return .compact(
      generator.architectures.map { ($0.rawValue, values[$0].map(one)) })
  }

  private func one(_ value: ConstantValue) -> JSONValue {
    switch value {
    case .integer(let number): .integer(number)
    case .string(let text): .string(text)
    }
  }

  private func structure(_ structure: Structure) -> JSONValue {
    let layouts = generator.architectures(of: structure).map { architecture in
      let layout = generator.abi.layout(structure.entry.name, architecture)
      let fields = (layout?.named ?? []).map { path, field in
        JSONValue.compact([
          ("name", .string(path)), ("offset", .integer(Int128(field.offset))),
          ("size", .integer(Int128(field.size))), ("type", type(field.field)),
          ("doc", text(field.field.doc)), ("dir", text(field.field.direction?.rawValue)),
          ("values", text(field.field.values)),
          ("padding", field.field.isPadding ? .boolean(true) : nil),
        ])
      }
      return (
        architecture.rawValue,
        Optional(
          JSONValue.compact([
            ("size", .integer(Int128(layout?.size ?? 0))),
            ("alignment", .integer(Int128(layout?.alignment ?? 0))), ("fields", .array(fields)),
          ]))
      )
    }
    return .compact(
      entry(structure.entry) + [
        ("kind", .string(structure.kind.rawValue)), ("cName", .string(structure.cName)),
        ("typedef", text(structure.typedef)), ("layouts", .compact(layouts)),
      ])
  }

  private func type(_ field: Field) -> JSONValue {
    switch field.content {
    case .type(let type): .string(type.notation)
    case .members(let kind, _): .string(kind.rawValue)
    }
  }

  private func errors(_ errors: [ErrorCase]) -> JSONValue? {
    list(errors) { .compact([("code", .string($0.code)), ("when", text($0.when))]) }
  }

  private func hypercall(_ hypercall: Hypercall) -> JSONValue {
    let arguments = hypercall.arguments.map { argument in
      JSONValue.compact([
        ("name", .string(argument.name)), ("type", .string(argument.type.notation)),
        ("doc", text(argument.doc)), ("values", text(argument.values)),
        ("arch", text(argument.architecture?.rawValue)),
      ])
    }
    let operations = hypercall.operations.map { operation in
      JSONValue.compact(
        entry(operation.entry) + [
          ("number", .integer(operation.number)), ("argument", text(operation.argument?.notation)),
          ("batch", operation.isBatch ? .boolean(true) : nil),
          ("callers", .string(operation.caller.rawValue)), ("returns", text(operation.returns)),
          ("errors", errors(operation.errors)), ("before", text(operation.before)),
          ("preemption", text(operation.preemption)), ("alias", text(operation.alias)),
        ])
    }
    return .compact(
      entry(hypercall.entry) + [
        (
          "number",
          value(
            PerArchitecture(
              x86_64: hypercall.number.x86_64.map(ConstantValue.integer),
              x86_32: hypercall.number.x86_32.map(ConstantValue.integer)))
        ),
        ("callers", .string(hypercall.caller.rawValue)),
        ("numberOnly", hypercall.numberOnly ? .boolean(true) : nil),
        ("arguments", .array(arguments)), ("returns", text(hypercall.returns)),
        ("errors", errors(hypercall.errors)), ("before", text(hypercall.before)),
        ("preemption", text(hypercall.preemption)),
        ("operations", operations.isEmpty ? nil : .array(operations)),
      ])
  }

  private func note(_ note: ELFNote) -> JSONValue {
    .compact(
      entry(note.entry) + [
        ("number", .integer(note.number)), ("value", .string(note.value)),
        ("required", .boolean(note.isRequired)), ("default", text(note.defaultValue)),
        ("before", text(note.before)),
        ("accepts", note.accepts.isEmpty ? nil : .array(note.accepts.map(JSONValue.string))),
      ])
  }

  private func key(_ key: XenstoreKey) -> JSONValue {
    .compact(
      entry(key.entry) + [
        ("path", .string(key.path)), ("side", .string(key.side)), ("type", .string(key.type)),
        ("default", text(key.defaultValue)), ("feature", text(key.feature)),
        ("values", text(key.values)), ("written", text(key.written)),
      ])
  }
}
