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
    out.line("  /// Byte offsets of fields, for code that reads a structure in pieces.")
    out.line("  public enum Offset {")
    for architecture in generator.architectures {
      out.line("    #if \(Self.condition(architecture))")
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
      out.line("    #endif")
    }
    out.line("  }")
    out.line("}")
    return out.text
  }
}
