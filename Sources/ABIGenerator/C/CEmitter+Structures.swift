// Structures, unions and the assertions that follow each of them.

import ABISchema

extension CEmitter {
  /// `struct foo`, with the tag that Xen uses where it has one.
  func tag(_ structure: Structure) -> String {
    structure.cName.contains(" ")
      ? structure.cName : "\(structure.kind.rawValue) \(structure.entry.name)"
  }

  private func typedefs(_ structure: Structure) -> [String] {
    var names: [String] = []
    if let typedef = structure.typedef { names.append(typedef) }
    if !structure.cName.contains(" "), !names.contains(structure.cName) {
      names.append(structure.cName)
    }
    return names
  }

  func emit(_ structure: Structure, into out: inout TextBuilder) {
    let covered = generator.architectures(of: structure)
    guard !covered.isEmpty else { return }
    out.line()
    let only = covered.count < generator.architectures.count ? covered.first : nil
    if let only { out.line("#if \(Self.condition(only))") }
    describe(structure.entry, into: &out)
    // g++ finds fault with an open array inside another structure, wherever it is used.
    let prefix = holdsOpenArray(structure.fields, depth: 0) ? "__extension__ " : ""
    out.line("\(prefix)\(tag(structure)) {")
    out.indented { members(structure.fields, isPacked: structure.isPacked, into: &$0) }
    out.line("}\(attributes(structure));")
    for name in typedefs(structure) { out.line("typedef \(tag(structure)) \(name);") }
    asserts(structure, covered, into: &out)
    if only != nil { out.line("#endif") }
  }

  /// A field's structure ends in an array without a count, at any depth.
  private func holdsOpenArray(_ fields: [Field], depth: Int) -> Bool {
    guard depth < 16 else { return false }
    return fields.contains { field in
      switch field.content {
      case .members(_, let inner): holdsOpenArray(inner, depth: depth + 1)
      case .type(.array(_, .flexible)): true
      case .type(let type):
        type.containedName.flatMap { abi.structure($0) }
          .map { holdsOpenArray($0.fields, depth: depth + 1) } ?? false
      }
    }
  }

  private func attributes(_ structure: Structure) -> String {
    var text = structure.isPacked ? " __attribute__((packed))" : ""
    if let alignment = structure.declaredAlignment.any {
      text += " __attribute__((aligned(\(alignment))))"
    }
    return text
  }

  private func members(_ fields: [Field], isPacked: Bool, into out: inout TextBuilder) {
    for field in fields {
      if let only = field.architecture {
        guard generator.architectures.contains(only) else { continue }
        if generator.architectures.count > 1 { out.flush("#if \(Self.condition(only))") }
      }
      member(field, isPacked: isPacked, into: &out)
      if field.architecture != nil, generator.architectures.count > 1 { out.flush("#endif") }
    }
  }

  private func member(_ field: Field, isPacked: Bool, into out: inout TextBuilder) {
    let note = remark(field)
    switch field.content {
    case .type(let type):
      var text = declare(type, Self.safe(field.name ?? "unnamed"))
      if case .array(_, .flexible) = type { text = "__extension__ " + text }
      let line = text + ";"
      if let note, note.count + line.count < 88 {
        out.line("\(line) /* \(note) */")
      } else {
        if let note { comment(note, into: &out) }
        out.line(line)
      }
    case .members(let kind, let inner):
      if let note { comment(note, into: &out) }
      let packed = isPacked ? " __attribute__((packed))" : ""
      out.line("__extension__ \(kind.rawValue)\(packed) {")
      out.indented { members(inner, isPacked: isPacked, into: &$0) }
      out.line(field.name.map { "} \(Self.safe($0));" } ?? "};")
    }
  }

  private func remark(_ field: Field) -> String? {
    if field.isPadding { return "Padding." }
    var text = field.doc.map(Self.harmless) ?? ""
    if let direction = field.direction { text = "\(direction.rawValue.uppercased()): " + text }
    if let values = field.values { text += " Values: \(values)." }
    return text.isEmpty ? nil : text
  }

  private func asserts(
    _ structure: Structure, _ covered: [Architecture], into out: inout TextBuilder
  ) {
    let tag = tag(structure)
    let name = structure.entry.name
    var facts: [(condition: String, text: String, name: String, architectures: [Architecture])] = []
    for architecture in covered {
      guard let layout = abi.layout(name, architecture) else { continue }
      var list = [("sizeof(\(tag)) == \(layout.size)", "\(name): size", "\(name)_size")]
      for (path, field) in layout.named {
        let cPath = path.split(separator: ".").map { Self.safe(String($0)) }.joined(separator: ".")
        list.append(
          (
            "offsetof(\(tag), \(cPath)) == \(field.offset)", "\(name).\(path): offset",
            "\(name)_\(path.replacing(".", with: "_"))"
          ))
      }
      for fact in list {
        if let index = facts.firstIndex(where: { $0.condition == fact.0 }) {
          facts[index].architectures.append(architecture)
        } else {
          facts.append((fact.0, fact.1, fact.2, [architecture]))
        }
      }
    }
    let common = facts.filter { $0.architectures.count == covered.count }
    for fact in common { assert(fact.condition, fact.text, fact.name, nil, into: &out) }
    for architecture in covered {
      let own = facts.filter { $0.architectures == [architecture] && covered.count > 1 }
      guard !own.isEmpty else { continue }
      out.line("#if \(Self.condition(architecture))")
      for fact in own { assert(fact.condition, fact.text, fact.name, nil, into: &out) }
      out.line("#endif")
    }
  }

  func assert(
    _ condition: String, _ text: String, _ name: String, _ architecture: Architecture?,
    into out: inout TextBuilder
  ) {
    if let architecture { out.line("#if \(Self.condition(architecture))") }
    out.line("XENABI_ASSERT(\(condition), \"abi \(text)\", \(name));")
    if architecture != nil { out.line("#endif") }
  }

  /// A declaration of `name` with a type, as C writes it.
  func declare(_ type: TypeReference, _ name: String) -> String {
    switch type {
    case .integer(let bits, let signed): "\(signed ? "int" : "uint")\(bits)_t \(name)"
    case .aligned64: "xenabi_u64a \(name)"
    case .char: "char \(name)"
    case .long(let signed): "\(signed ? "long" : "unsigned long") \(name)"
    case .pointer, .handle(nil): "void *\(name)"
    case .handle(let inner?):
      if case .array(let element, _) = inner {
        declare(element, "*" + name)
      } else {
        declare(inner, "*" + name)
      }
    case .named(let typeName):
      if let structure = abi.structure(typeName) {
        "\(tag(structure)) \(name)"
      } else {
        "\(abi.scalar(typeName)?.cName ?? typeName) \(name)"
      }
    case .array(let element, let count):
      switch count {
      case .literal(let number): declare(element, "\(name)[\(number)]")
      case .constant(let constant): declare(element, "\(name)[\(constant)]")
      case .flexible:
        // An empty pair of brackets is no C++, and may not stand inside another structure.
        declare(element, "\(name)[0]")
      }
    }
  }

  /// Words of C++ get an underscore, so that one header suits both languages.
  static func safe(_ name: String) -> String {
    reserved.contains(name) ? name + "_" : name
  }

  private static let reserved: Set<String> = [
    "class", "new", "delete", "this", "private", "public", "protected", "virtual", "template",
    "operator", "namespace", "typename", "friend", "export", "explicit", "mutable", "try", "catch",
    "throw", "using", "and", "or", "not", "xor", "bool", "true", "false", "default", "register",
    "int", "long", "short", "char", "signed", "unsigned", "float", "double", "void", "const",
    "volatile", "static", "extern", "auto", "if", "else", "for", "while", "do", "switch", "case",
    "break", "continue", "return", "goto", "sizeof", "struct", "union", "enum", "typedef", "inline",
  ]
}
