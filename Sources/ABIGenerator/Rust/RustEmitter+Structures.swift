// Structures and unions in Rust, with constant assertions of their layout.

import ABISchema

extension RustEmitter {
  func spell(_ type: TypeReference) -> String {
    switch type {
    case .integer(let bits, let signed): "\(signed ? "i" : "u")\(bits)"
    case .aligned64: "AlignedU64"
    case .char: "u8"
    case .long(let signed): signed ? "isize" : "usize"
    case .pointer, .handle(nil): "*mut core::ffi::c_void"
    case .handle(let inner?):
      if case .array(let element, _) = inner {
        "*mut \(spell(element))"
      } else {
        "*mut \(spell(inner))"
      }
    case .named(let name): name
    case .array(let element, let count):
      switch count {
      case .literal(let number): "[\(spell(element)); \(number)]"
      case .constant(let name): "[\(spell(element)); \(name) as usize]"
      case .flexible: "[\(spell(element)); 0]"
      }
    }
  }

  func emit(_ structure: Structure, into out: inout TextBuilder) {
    let covered = generator.architectures(of: structure)
    guard !covered.isEmpty else { return }
    let only = covered.count < generator.architectures.count ? covered.first : nil
    let cfg = only.map { "#[cfg(\(Self.condition($0)))]" }
    var nested: [Nested] = []
    let alignment = structure.declaredAlignment.any
    out.line()
    describe(structure.entry, into: &out)
    declaration(
      structure.entry.name, structure.kind, structure.fields, cfg,
      isPacked: structure.isPacked, alignment: alignment, nested: &nested, into: &out)
    while !nested.isEmpty {
      let next = nested.removeFirst()
      out.line()
      out.line("/// Part of `\(structure.entry.name)`.")
      declaration(
        next.name, next.kind, next.fields, cfg, isPacked: structure.isPacked, alignment: nil,
        nested: &nested, into: &out)
    }
    for architecture in covered {
      guard let layout = abi.layout(structure.entry.name, architecture) else { continue }
      out.line("#[cfg(\(Self.condition(architecture)))]")
      out.line("const _: () = {")
      let name = structure.entry.name
      out.indented { out in
        out.line(
          "assert!(core::mem::size_of::<\(name)>() == \(layout.size), \"abi \(name): size\");")
        offsets(layout.fields, of: name, base: 0, into: &out)
      }
      out.line("};")
    }
  }

  private struct Nested {
    var name: String
    var kind: StructureKind
    var fields: [Field]
  }

  /// The name of a field, and of the type of one that is written out in place.
  private func fieldName(_ field: Field, _ index: Int) -> String {
    field.name.map(Self.safe) ?? "anonymous_\(index)"
  }

  private func nestedName(_ outer: String, _ field: Field, _ index: Int) -> String {
    "\(outer)_\(field.name ?? "anonymous_\(index)")"
  }

  private func declaration(
    _ name: String, _ kind: StructureKind, _ fields: [Field], _ cfg: String?, isPacked: Bool,
    alignment: Int?, nested: inout [Nested], into out: inout TextBuilder
  ) {
    if let cfg { out.line(cfg) }
    let packing = isPacked ? ", packed" : alignment.map { ", align(\($0))" } ?? ""
    out.line("#[repr(C\(packing))]")
    out.line("#[derive(Clone, Copy)]")
    out.line("pub \(kind.rawValue) \(name) {")
    var found: [Nested] = []
    out.indented { out in
      for (index, field) in fields.enumerated() {
        if let only = field.architecture, !generator.architectures.contains(only) { continue }
        for line in Prose.wrap(Self.docs(remark(field)), width: 88) { out.line("/// \(line)") }
        if let only = field.architecture { out.line("#[cfg(\(Self.condition(only)))]") }
        switch field.content {
        case .type(let type):
          out.line("pub \(fieldName(field, index)): \(spell(type)),")
        case .members(let kind, let inner):
          let typeName = nestedName(name, field, index)
          found.append(Nested(name: typeName, kind: kind, fields: inner))
          out.line("pub \(fieldName(field, index)): \(typeName),")
        }
      }
    }
    out.line("}")
    nested += found
    out.line()
    if let cfg { out.line(cfg) }
    out.line("impl \(name) {")
    out.indented { out in
      out.line("/// All bytes zero.")
      out.line("pub const fn zeroed() -> Self {")
      out.line(
        "    // SAFETY: numbers and raw pointers are the only contents, and zero is one of each.")
      out.line("    unsafe { core::mem::zeroed() }")
      out.line("}")
    }
    out.line("}")
  }

  private func remark(_ field: Field) -> String {
    if field.isPadding { return "Padding." }
    var text = field.doc ?? ""
    if let direction = field.direction { text = "\(direction.rawValue.uppercased()): " + text }
    if let values = field.values { text += " Values: \(values)." }
    return text
  }

  /// Assertions for the members of one type; those of nested types count from their own start.
  private func offsets(
    _ fields: [FieldLayout], of name: String, base: Int, into out: inout TextBuilder
  ) {
    for field in fields {
      let path = fieldName(field.field, field.index)
      out.line(
        "assert!(core::mem::offset_of!(\(name), \(path)) == \(field.offset - base), "
          + "\"abi \(name).\(path): offset\");")
      if case .members = field.field.content {
        offsets(
          field.members, of: nestedName(name, field.field, field.index), base: field.offset,
          into: &out)
      }
    }
  }
}
