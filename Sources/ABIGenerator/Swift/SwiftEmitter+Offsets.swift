// Offsets of fields as Swift constants: Embedded Swift has no key paths to the fields of C structures,
// and code that reads a structure in pieces needs to know where they are.

import ABISchema

extension SwiftEmitter {
  /// The offset of every field of every structure, under the names that C has.
  func structureOffsets() -> String {
    var out = TextBuilder(unit: "  ")
    out.line("// \(generator.origin(nil))")
    out.line("// swift-format-ignore-file")
    out.line()
    out.line("extension Xen {")
    for architecture in generator.architectures {
      out.line(
        "  /// Byte offsets of fields on \(architecture.rawValue), for code that reads a structure in pieces."
      )
      out.line("  public enum \(Self.offsets(architecture)) {")
      for structure in abi.structures where structure.kind == .struct {
        guard let layout = abi.layout(structure.entry.name, architecture) else { continue }
        let fields = layout.fields.filter { $0.name != nil && !$0.field.isPadding }
        guard !fields.isEmpty else { continue }
        out.line("    public enum \(cType(structure)) {")
        for field in fields {
          guard let name = field.name else { continue }
          out.line(
            "      @inlinable public static var \(SwiftNames.safe(CEmitter.safe(name))): Int { \(field.offset) }"
          )
        }
        out.line("    }")
      }
      out.line("  }")
    }
    for architecture in generator.architectures {
      out.line("  #if \(Self.condition(architecture))")
      out.line("  /// Those of the architecture that this is compiled for.")
      out.line("  public typealias Offset = \(Self.offsets(architecture))")
      out.line("  #endif")
    }
    out.line("}")
    return out.text
  }

  /// The name of the offsets of an architecture.
  private static func offsets(_ architecture: Architecture) -> String {
    "Offset\(architecture.rawValue.replacing("x86", with: "X86"))"
  }
}
