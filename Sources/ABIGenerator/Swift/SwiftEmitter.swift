// Swift for hosts and for Embedded: typed constants, hypercall numbers, errors and rings, over the
// C module whose header describes and asserts the structures.

import ABISchema

/// Emits the C module CXenABI, the Swift module XenABI and tests of the layouts.
struct SwiftEmitter {
  let generator: Generator
  var abi: ABI { generator.abi }

  func files() -> [GeneratedFile] {
    var files = CEmitter(generator: generator).files().map {
      GeneratedFile(path: "CXenABI/include/" + $0.path, text: $0.text)
    }
    files.append(GeneratedFile(path: "CXenABI/include/module.modulemap", text: moduleMap))
    files.append(
      GeneratedFile(
        path: "CXenABI/xenabi.c",
        text:
          "/* \(generator.origin(nil)) */\n/* Compiles the header, and with it all assertions. */\n"
          + "#include \"xenabi.h\"\n"))
    files += swiftFiles()
    files.append(GeneratedFile(path: "XenABITests/LayoutFacts.swift", text: layoutFacts()))
    return files
  }

  /// The Swift module alone.
  private func swiftFiles() -> [GeneratedFile] {
    var taken: Set<String> = Self.reservedTypes
    var files: [GeneratedFile] = []
    for subject in abi.subjects {
      var out = TextBuilder(unit: "  ")
      let hasStructures = subject.structures.contains { !generator.architectures(of: $0).isEmpty }
      header(subject.name, importsC: hasStructures, into: &out)
      for group in subject.constants + subject.impliedConstants
      where !isHypercallGroup(group, subject) {
        emit(group, name: claim(groupName(group), "Values", in: &taken), into: &out)
      }
      aliases(subject, &taken, into: &out)
      files.append(GeneratedFile(path: "XenABI/Generated/\(subject.name).swift", text: out.text))
    }
    files.append(GeneratedFile(path: "XenABI/Generated/HypercallNumber.swift", text: hypercalls()))
    files.append(
      GeneratedFile(path: "XenABI/Generated/StructureOffset.swift", text: structureOffsets()))
    files.append(
      GeneratedFile(
        path: "XenABI/Generated/RingAccess.swift",
        text: "// \(generator.origin(nil))\n// swift-format-ignore-file\n" + SwiftRingRuntime.text))
    return files
  }

  private static let reservedTypes: Set<String> = [
    "HypercallNumber", "HypercallError", "FrontRing", "BackRing", "ByteStream", "RingBroken",
    "Offset",
  ]

  private var moduleMap: String {
    """
    module CXenABI {
      header "xenabi.h"
      export *
    }

    """
  }

  private func header(_ subject: String?, importsC: Bool, into out: inout TextBuilder) {
    out.line("// \(generator.origin(subject))")
    out.line("// swift-format-ignore-file")
    guard importsC else { return }
    out.line()
    out.line("public import CXenABI")
  }

  private func isHypercallGroup(_ group: ConstantGroup, _ subject: Subject) -> Bool {
    group.entry.name == "\(subject.name)-hypercalls" && !subject.hypercalls.isEmpty
  }

  private func groupName(_ group: ConstantGroup) -> String {
    SwiftNames.type(
      group.entry.name.replacing("_op-operations", with: "-operation")
        .replacing("-operations", with: "-operation"))
  }

  private func claim(_ name: String, _ suffix: String, in taken: inout Set<String>) -> String {
    var name = name
    while !taken.insert(name).inserted { name += suffix }
    return name
  }

  private func aliases(
    _ subject: Subject, _ taken: inout Set<String>, into out: inout TextBuilder
  ) {
    let structures = subject.structures.filter { !generator.architectures(of: $0).isEmpty }
    guard !structures.isEmpty else { return }
    out.line()
    out.line("extension Xen {")
    out.indented { out in
      for structure in structures {
        let covered = generator.architectures(of: structure)
        let only = covered.count < generator.architectures.count ? covered.first : nil
        let name = claim(
          SwiftNames.type(structure.entry.name), "Structure", in: &taken)
        if let only { out.line("#if \(Self.condition(only))") }
        doc(structure.entry.doc, into: &out)
        out.line("public typealias \(name) = \(cType(structure))")
        if only != nil { out.line("#endif") }
      }
    }
    out.line("}")
  }

  /// How Swift sees the C structure: by its tag.
  func cType(_ structure: Structure) -> String {
    let tag = CEmitter(generator: generator).tag(structure)
    return String(tag.split(separator: " ").last ?? "")
  }

  static func condition(_ architecture: Architecture) -> String {
    "arch(\(architecture == .x86_64 ? "x86_64" : "i386"))"
  }

  func doc(_ text: String, into out: inout TextBuilder) {
    for line in Prose.wrap(text, width: 92) { out.line("/// \(line)") }
  }

  private func hypercalls() -> String {
    var out = TextBuilder(unit: "  ")
    header(nil, importsC: false, into: &out)
    out.line()
    out.line("/// The Xen PV interface.")
    out.line("public enum Xen {}")
    let constants = abi.subjects.flatMap { subject in
      subject.impliedConstants.filter { isHypercallGroup($0, subject) }.flatMap(\.constants)
    }
    let group = ConstantGroup(
      entry: Entry(
        name: "hypercall-number", doc: "The number of a hypercall: its slot in the hypercall page.",
        source: "public/xen.h", since: "3.0",
        position: SourcePosition(file: "", line: 1, column: 1)),
      kind: .enum, type: .integer(bits: 32, signed: false),
      constants: constants.sorted {
        ($0.values.any?.integer ?? 0, $0.entry.name) < ($1.values.any?.integer ?? 0, $1.entry.name)
      })
    emit(group, name: "HypercallNumber", into: &out)
    out.line()
    out.raw(Self.errors)
    return out.text
  }

  private static let errors = """
    extension Xen {
      /// A hypercall failed: the positive number of errno that it returned negated.
      public struct HypercallError: Error, Hashable, Sendable {
        public var code: Int32
        @inlinable public init(code: Int32) { self.code = code }
      }

      /// The result of a hypercall, or its error.
      @inlinable
      public static func check(_ result: Int) throws(HypercallError) -> Int {
        if result < 0 && result > -4096 { throw HypercallError(code: Int32(-result)) }
        return result
      }
    }
    """
}
