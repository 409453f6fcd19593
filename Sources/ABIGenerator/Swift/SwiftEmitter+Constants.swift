// Groups of constants in Swift: an option set, a wrapper of a number, or plain values.

import ABISchema

extension SwiftEmitter {
  func emit(_ group: ConstantGroup, name: String, into out: inout TextBuilder) {
    let constants = group.constants.filter { constant in
      generator.architectures.contains { constant.values[$0] != nil }
    }
    let members = SwiftNames.members(constants.map(\.entry.name))
    out.line()
    out.line("extension Xen {")
    out.indented { out in
      doc(group.entry.doc, into: &out)
      switch group.kind {
      case .enum: wrapper(name, "RawRepresentable, Hashable, Sendable", group, into: &out)
      case .flags: wrapper(name, "OptionSet, Hashable, Sendable", group, into: &out)
      case .values, .strings: out.line("public enum \(name) {")
      }
      out.indented { out in
        for (constant, member) in zip(constants, members) {
          self.member(constant, member, group, into: &out)
        }
      }
      out.line("}")
    }
    out.line("}")
  }

  private func wrapper(
    _ name: String, _ conformances: String, _ group: ConstantGroup, into out: inout TextBuilder
  ) {
    out.line("public struct \(name): \(conformances) {")
    out.indented { out in
      let type = carrier(group)
      out.line("public var rawValue: \(type)")
      out.line("@inlinable public init(rawValue: \(type)) { self.rawValue = rawValue }")
    }
  }

  private func member(
    _ constant: Constant, _ member: String, _ group: ConstantGroup, into out: inout TextBuilder
  ) {
    let values = generator.architectures.compactMap { architecture in
      constant.values[architecture].map { (architecture, $0) }
    }
    guard let first = values.first else { return }
    let isEverywhere =
      values.count == generator.architectures.count && values.allSatisfy { $0.1 == first.1 }
    for (architecture, value) in isEverywhere ? [first] : values {
      if !isEverywhere { out.line("#if \(Self.condition(architecture))") }
      doc("`\(constant.entry.name)`. \(constant.entry.doc)", into: &out)
      out.line("@inlinable public static var \(member): \(declaration(value, group))")
      if !isEverywhere { out.line("#endif") }
    }
  }

  private func declaration(_ value: ConstantValue, _ group: ConstantGroup) -> String {
    switch value {
    case .string(let text):
      return "StaticString { \"\(CEmitter.escaped(text))\" }"
    case .integer(let number):
      let literal = Number.text(number, hexadecimal: group.kind == .flags)
      switch group.kind {
      case .enum, .flags: return "Self { Self(rawValue: \(literal)) }"
      case .values, .strings: return "\(carrier(group)) { \(literal) }"
      }
    }
  }

  /// The type that holds the group's values; of plain numbers, the smallest usual one that does.
  private func carrier(_ group: ConstantGroup) -> String {
    if let type = group.type { return spell(type) }
    let numbers = group.constants.flatMap { constant in
      generator.architectures.compactMap { constant.values[$0]?.integer }
    }
    let isSigned = numbers.contains { $0 < 0 }
    let isWide = numbers.contains { $0 > Int128(isSigned ? Int32.max : Int32.max) * 2 + 1 }
    return (isSigned ? "Int" : "UInt") + (isWide ? "64" : "32")
  }

  func spell(_ type: TypeReference) -> String {
    switch generator.resolved(type) {
    case .integer(let bits, let signed): "\(signed ? "Int" : "UInt")\(bits)"
    case .aligned64: "UInt64"
    case .char: "UInt8"
    case .long(let signed): signed ? "Int" : "UInt"
    case .pointer, .handle, .named, .array: "UInt"
    }
  }

  /// Facts for the tests: what Swift sees of the C header against what abi/ says.
  func layoutFacts() -> String {
    var out = TextBuilder(unit: "  ")
    out.line("// \(generator.origin(nil))")
    out.line("// swift-format-ignore-file")
    out.line()
    out.line("import CXenABI")
    out.line()
    out.line("/// One size or offset: what abi/ says, and what the compiler says.")
    out.line("struct LayoutFact: Sendable {")
    out.line("  var name: String")
    out.line("  var expected: Int")
    out.line("  var found: Int?")
    out.line("}")
    out.line()
    out.line("enum LayoutFacts {")
    out.line("  static var all: [LayoutFact] {")
    out.line("    var facts: [LayoutFact] = []")
    for architecture in generator.architectures {
      out.line("    #if \(Self.condition(architecture))")
      for structure in abi.structures {
        guard abi.layout(structure.entry.name, architecture) != nil else { continue }
        out.line("    \(SwiftNames.type(structure.entry.name).lowercasedFirst)Facts(&facts)")
      }
      out.line("    #endif")
    }
    out.line("    return facts")
    out.line("  }")
    for architecture in generator.architectures {
      out.line("  #if \(Self.condition(architecture))")
      for structure in abi.structures {
        guard let layout = abi.layout(structure.entry.name, architecture) else { continue }
        facts(structure, layout, into: &out)
      }
      out.line("  #endif")
    }
    out.line("}")
    return out.text
  }

  private func facts(
    _ structure: Structure, _ layout: StructureLayout, into out: inout TextBuilder
  ) {
    let name = structure.entry.name
    let type = cType(structure)
    out.line(
      "  private static func \(SwiftNames.type(name).lowercasedFirst)Facts(_ facts: inout [LayoutFact]) {"
    )
    let line = { (label: String, expected: Int, found: String) in
      "    facts.append(LayoutFact(name: \"\(label)\", expected: \(expected), found: \(found)))"
    }
    out.line(line("\(name) size", layout.size, "MemoryLayout<\(type)>.size"))
    for field in layout.fields where structure.kind == .struct && isStored(field) {
      guard let fieldName = field.name else { continue }
      out.line(
        line(
          "\(name).\(fieldName)", field.offset,
          "MemoryLayout<\(type)>.offset(of: \\.\(SwiftNames.safe(CEmitter.safe(fieldName))))"))
    }
    out.line("  }")
  }

  /// Swift imports the field as a stored property: no flexible array, and none of thousands of elements.
  private func isStored(_ field: FieldLayout) -> Bool {
    guard case .type(let type) = field.field.content else { return field.name != nil }
    guard case .array(_, let count) = generator.resolved(type) else { return true }
    guard let elements = abi.count(count, on: .x86_64) else { return false }
    return elements > 0 && elements <= 4096
  }
}

extension String {
  var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
