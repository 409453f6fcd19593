// Constants as macros: plain literals, which C, C++ and an assembler all read.

import ABISchema

extension CEmitter {
  func emit(_ group: ConstantGroup, into out: inout TextBuilder) {
    out.line()
    comment(group.entry.doc, tail: group.entry.source + ".", into: &out)
    for constant in group.constants {
      if !constant.entry.doc.isEmpty { summary(constant, into: &out) }
      let isHexadecimal = group.kind == .flags
      let values = generator.architectures.compactMap { architecture in
        constant.values[architecture].map { (architecture, Self.literal($0, isHexadecimal)) }
      }
      guard let first = values.first else { continue }
      let isEverywhere =
        values.count == generator.architectures.count && values.allSatisfy { $0.1 == first.1 }
      if isEverywhere {
        define(constant, first.1, into: &out)
      } else {
        for (architecture, value) in values {
          out.line("#if \(Self.condition(architecture))")
          define(constant, value, into: &out)
          out.line("#endif")
        }
      }
    }
  }

  private func summary(_ constant: Constant, into out: inout TextBuilder) {
    let lines = Prose.wrap(Self.harmless(constant.entry.doc), width: 94)
    if lines.count == 1, let only = lines.first {
      out.line("/* \(only) */")
    } else {
      for (index, line) in lines.enumerated() {
        let start = index == 0 ? "/* " : " * "
        out.line(start + line + (index == lines.count - 1 ? " */" : ""))
      }
    }
  }

  private func define(_ constant: Constant, _ value: String, into out: inout TextBuilder) {
    out.line("#define \(constant.entry.name) \(value)")
    if constant.cName != constant.entry.name {
      out.line("#define \(constant.cName) \(constant.entry.name)")
    }
  }

  static func literal(_ value: ConstantValue, _ isHexadecimal: Bool) -> String {
    switch value {
    case .integer(let number):
      let text = Number.text(number, hexadecimal: isHexadecimal)
      // The most negative number has no positive counterpart in C.
      if number == Int128(Int64.min) { return "(-0x7fffffffffffffff - 1)" }
      return number < 0 ? "(\(text))" : text
    case .string(let text): return "\"" + escaped(text) + "\""
    }
  }

  static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
