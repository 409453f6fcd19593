// C headers: one a subject, and around them the base, the hypercall wrappers and the rings. They
// are valid C99, C17 and C++17 for both architectures; the constants also suit an assembler.

import ABISchema

/// Emits the headers.
struct CEmitter {
  let generator: Generator
  var abi: ABI { generator.abi }

  func files() -> [GeneratedFile] {
    var files = abi.subjects.map {
      GeneratedFile(path: "xenabi/\($0.name).h", text: header($0))
    }
    files.append(GeneratedFile(path: "xenabi/base.h", text: base()))
    files.append(GeneratedFile(path: "xenabi/hypercall-wrappers.h", text: hypercallHeader()))
    files.append(GeneratedFile(path: "xenabi/ring-access.h", text: CRingRuntime.text(generator)))
    files.append(GeneratedFile(path: "xenabi/typed-rings.h", text: typedRings()))
    files.append(GeneratedFile(path: "xenabi.h", text: umbrella()))
    return files
  }

  private func umbrella() -> String {
    var out = TextBuilder()
    out.line("/* \(generator.origin(nil)) */")
    out.line("/* The whole interface. An assembler sees the constants only. */")
    out.line("#ifndef XENABI_H")
    out.line("#define XENABI_H")
    out.line()
    for subject in abi.subjects { out.line("#include \"xenabi/\(subject.name).h\"") }
    out.line("#ifndef __ASSEMBLER__")
    for name in ["hypercall-wrappers", "ring-access", "typed-rings"] {
      out.line("#include \"xenabi/\(name).h\"")
    }
    out.line("#endif")
    out.line()
    out.line("#endif /* XENABI_H */")
    return out.text
  }

  private func base() -> String {
    var out = TextBuilder()
    out.line("/* \(generator.origin(nil)) */")
    out.raw(CBase.text)
    if generator.architectures.count == 1, let only = generator.architectures.first {
      out.line("#if !\(Self.condition(only))")
      out.line("#error \"these headers were generated for \(only.rawValue) only\"")
      out.line("#endif")
    }
    out.line()
    out.line("#endif /* XENABI_BASE_H */")
    return out.text
  }

  private func header(_ subject: Subject) -> String {
    let symbol = "XENABI_" + subject.name.uppercased().replacing("-", with: "_") + "_H"
    var out = TextBuilder()
    out.line("/* \(generator.origin(subject.name)) */")
    comment(subject.title + ". " + subject.entry.doc, into: &out)
    out.line("#ifndef \(symbol)")
    out.line("#define \(symbol)")
    out.line()
    out.line("#include \"xenabi/base.h\"")
    for name in generator.requirements(of: subject) { out.line("#include \"xenabi/\(name).h\"") }
    for group in subject.constants + subject.impliedConstants { emit(group, into: &out) }
    if !subject.types.isEmpty || !subject.structures.isEmpty {
      out.line()
      out.line("#ifndef __ASSEMBLER__")
      for type in orderedScalars(subject.types) { emit(type, into: &out) }
      forwards(subject, into: &out)
      for structure in generator.ordered(subject.structures) { emit(structure, into: &out) }
      out.line()
      out.line("#endif /* __ASSEMBLER__ */")
    }
    out.line()
    out.line("#endif /* \(symbol) */")
    return out.text
  }

  /// Structures that are pointed to are declared first, wherever they are defined.
  private func forwards(_ subject: Subject, into out: inout TextBuilder) {
    let names = SubjectReferences(subject).pointedTo.union(
      subject.structures.compactMap { abi.structure($0.entry.name)?.entry.name })
    let tags = names.sorted().compactMap { abi.structure($0) }.map { tag($0) }
    guard !tags.isEmpty else { return }
    out.line()
    for tag in tags { out.line("\(tag);") }
  }

  private func orderedScalars(_ types: [ScalarType]) -> [ScalarType] {
    var emitted: Set<String> = []
    var result: [ScalarType] = []
    let names = Set(types.map(\.entry.name))
    var open = types
    while !open.isEmpty {
      let ready = open.filter { type in
        guard let name = type.type.containedName, names.contains(name) else { return true }
        return emitted.contains(name)
      }
      if ready.isEmpty { break }
      result += ready
      emitted.formUnion(ready.map(\.entry.name))
      open.removeAll { emitted.contains($0.entry.name) }
    }
    return result
  }

  private func emit(_ type: ScalarType, into out: inout TextBuilder) {
    out.line()
    describe(type.entry, into: &out)
    out.line("typedef \(declare(type.type, type.cName));")
    for (architecture, size) in scalarSizes(type) {
      assert(
        "sizeof(\(type.cName)) == \(size)", "\(type.cName): size", type.cName + "_size",
        architecture, into: &out)
    }
  }

  private func scalarSizes(_ type: ScalarType) -> [(Architecture?, Int)] {
    let sizes = generator.architectures.map { ($0, size(of: type.type, $0)) }
    if let first = sizes.first, sizes.allSatisfy({ $0.1 == first.1 }) { return [(nil, first.1)] }
    return sizes.map { ($0.0, $0.1) }
  }

  /// In bytes; the checker has made sure that every name and count is known.
  func size(of type: TypeReference, _ architecture: Architecture) -> Int {
    switch generator.resolved(type) {
    case .integer(let bits, _): bits / 8
    case .aligned64: 8
    case .char: 1
    case .long, .pointer, .handle: architecture.wordSize
    case .named(let name): abi.layout(name, architecture)?.size ?? 0
    case .array(let element, let count):
      size(of: element, architecture) * (abi.count(count, on: architecture) ?? 0)
    }
  }

  static func condition(_ architecture: Architecture) -> String {
    architecture == .x86_64 ? "defined(__x86_64__)" : "defined(__i386__)"
  }

  /// What an entry's comment says.
  func describe(_ entry: Entry, into out: inout TextBuilder) {
    var text = entry.doc
    if let deprecated = entry.deprecated { text += " Deprecated: " + deprecated }
    comment(text, tail: "\(entry.source). Since Xen \(entry.since).", into: &out)
  }

  func comment(_ text: String, tail: String? = nil, into out: inout TextBuilder) {
    var lines = Prose.wrap(Self.harmless(text), width: 96)
    if let tail { lines += Prose.wrap(Self.harmless(tail), width: 96) }
    if lines.count == 1, let only = lines.first {
      out.line("/* \(only) */")
    } else {
      out.line("/*")
      for line in lines { out.line(" * \(line)") }
      out.line(" */")
    }
  }

  /// Text that neither opens nor ends a comment.
  static func harmless(_ text: String) -> String {
    Prose.line(text).replacing("*/", with: "* /").replacing("/*", with: "/ *")
  }
}
