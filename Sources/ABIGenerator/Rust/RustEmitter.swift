// A Rust crate without the standard library: a module a subject, hypercalls and rings.

import ABISchema

/// Emits the crate.
struct RustEmitter {
  let generator: Generator
  var abi: ABI { generator.abi }

  func files() -> [GeneratedFile] {
    var files = abi.subjects.map {
      GeneratedFile(path: "src/\(Self.module($0.name)).rs", text: module($0))
    }
    files.append(GeneratedFile(path: "src/lib.rs", text: library()))
    files.append(GeneratedFile(path: "src/hypercall.rs", text: hypercallModule()))
    files.append(
      GeneratedFile(
        path: "src/ring.rs", text: "// \(generator.origin(nil))\n" + RustRingRuntime.text))
    files.append(GeneratedFile(path: "src/typed_ring.rs", text: typedRings()))
    files.append(GeneratedFile(path: "Cargo.toml", text: manifest()))
    return files
  }

  /// The private module of a subject; the prefix keeps it apart from structures of the same name.
  static func module(_ subject: String) -> String {
    "abi_" + subject.replacing("-", with: "_")
  }

  private func manifest() -> String {
    """
    # \(generator.origin(nil))
    [package]
    name = "xenabi"
    version = "0.1.0"
    edition = "2021"
    description = "The Xen PV interface: constants, structures, hypercalls and rings."

    [lib]
    path = "src/lib.rs"

    """
  }

  private func library() -> String {
    var out = TextBuilder()
    out.line("// \(generator.origin(nil))")
    out.line("//! The Xen PV interface. Names are those of Xen's headers.")
    out.line("#![no_std]")
    out.line("#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]")
    out.line()
    let only = generator.architectures.map { Self.condition($0) }
    out.line("#[cfg(not(any(\(only.joined(separator: ", ")))))]")
    out.line("compile_error!(\"the generated interface does not cover this architecture\");")
    out.line()
    out.line("pub mod hypercall;")
    out.line("pub mod ring;")
    out.line("pub mod typed_ring;")
    for subject in abi.subjects {
      out.line()
      let name = Self.module(subject.name)
      out.line("mod \(name);")
      if !isEmpty(subject) { out.line("pub use \(name)::*;") }
    }
    out.line()
    out.raw(Self.support)
    return out.text
  }

  private static let support = """
    /// 64 bits with the alignment of 64 bits on both architectures.
    #[repr(C, align(8))]
    #[derive(Clone, Copy, PartialEq, Eq, Default)]
    pub struct AlignedU64(pub u64);
    """

  private func isEmpty(_ subject: Subject) -> Bool {
    subject.constants.isEmpty && subject.impliedConstants.isEmpty && subject.types.isEmpty
      && subject.structures.isEmpty
  }

  private func module(_ subject: Subject) -> String {
    var out = TextBuilder()
    out.line("// \(generator.origin(subject.name))")
    for line in Prose.wrap(subject.title + ". " + subject.entry.doc, width: 95) {
      out.line("//! \(line)")
    }
    if !subject.types.isEmpty || !subject.structures.isEmpty {
      out.line("#[allow(unused_imports)]")
      out.line("use crate::*;")
    }
    for group in subject.constants + subject.impliedConstants { emit(group, into: &out) }
    for type in subject.types {
      out.line()
      describe(type.entry, into: &out)
      out.line("pub type \(type.entry.name) = \(spell(type.type));")
    }
    for structure in subject.structures { emit(structure, into: &out) }
    return out.text
  }

  static func condition(_ architecture: Architecture) -> String {
    "target_arch = \"\(architecture == .x86_64 ? "x86_64" : "x86")\""
  }

  func describe(_ entry: Entry, into out: inout TextBuilder) {
    for line in Prose.wrap(Self.docs(entry.doc), width: 92) { out.line("/// \(line)") }
    out.line("///")
    for line in Prose.wrap(
      Self.docs("Source: \(entry.source). Since Xen \(entry.since)."), width: 92)
    {
      out.line("/// \(line)")
    }
  }

  /// Text that rustdoc does not take for links or markup.
  static func docs(_ text: String) -> String {
    Prose.line(text).replacing("<", with: "&lt;").replacing("[", with: "\\[")
      .replacing("]", with: "\\]")
  }

  private func emit(_ group: ConstantGroup, into out: inout TextBuilder) {
    out.line()
    out.line("// \(Prose.line(group.entry.name)): \(Prose.summary(group.entry.doc))")
    for constant in group.constants {
      let values = generator.architectures.compactMap { architecture in
        constant.values[architecture].map { (architecture, $0) }
      }
      guard let first = values.first else { continue }
      let isEverywhere =
        values.count == generator.architectures.count && values.allSatisfy { $0.1 == first.1 }
      for (architecture, value) in isEverywhere ? [first] : values {
        for line in Prose.wrap(Self.docs(constant.entry.doc), width: 92) { out.line("/// \(line)") }
        if !isEverywhere { out.line("#[cfg(\(Self.condition(architecture)))]") }
        let type = constantType(value, group, architecture)
        out.line(
          "pub const \(Self.safe(constant.entry.name)): \(type) = \(literal(value, group));")
      }
    }
  }

  private func constantType(
    _ value: ConstantValue, _ group: ConstantGroup, _ architecture: Architecture
  ) -> String {
    guard case .integer(let number) = value else { return "&str" }
    if let type = group.type {
      switch generator.resolved(type) {
      case .pointer, .handle: return "usize"
      case .char: return "u8"
      case .aligned64: return "u64"
      default: return spell(type)
      }
    }
    if number < 0 { return number < Int128(Int32.min) ? "i64" : "i32" }
    return number > Int128(UInt32.max) ? "u64" : "u32"
  }

  private func literal(_ value: ConstantValue, _ group: ConstantGroup) -> String {
    switch value {
    case .integer(let number): Number.text(number, hexadecimal: group.kind == .flags)
    case .string(let text): "\"" + CEmitter.escaped(text) + "\""
    }
  }

  /// Words of Rust are written raw, or with an underscore where that is not allowed.
  static func safe(_ name: String) -> String {
    if ["self", "Self", "super", "crate", "_"].contains(name) { return name + "_" }
    return keywords.contains(name) ? "r#" + name : name
  }

  static let keywords: Set<String> = [
    "as", "break", "const", "continue", "else", "enum", "extern", "false", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static",
    "struct", "trait", "true", "type", "unsafe", "use", "where", "while", "async", "await", "dyn",
    "abstract", "become", "box", "do", "final", "macro", "override", "priv", "typeof", "unsized",
    "virtual", "yield", "try", "union",
  ]
}
