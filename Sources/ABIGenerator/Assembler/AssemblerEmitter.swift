// Offsets, sizes and numeric constants for assemblers: GNU as and NASM, one file an architecture.

import ABISchema

/// Emits the include files.
struct AssemblerEmitter {
  let generator: Generator

  private enum Dialect: String {
    case gas
    case nasm

    var comment: String { self == .gas ? "#" : ";" }

    func define(_ name: String, _ value: String) -> String {
      self == .gas ? ".set \(name), \(value)" : "%define \(name) \(value)"
    }
  }

  func files() -> [GeneratedFile] {
    generator.architectures.flatMap { architecture in
      [
        GeneratedFile(
          path: "xenabi-\(architecture.rawValue).s.inc", text: text(.gas, architecture)),
        GeneratedFile(
          path: "xenabi-\(architecture.rawValue).nasm.inc", text: text(.nasm, architecture)),
      ]
    }
  }

  private func text(_ dialect: Dialect, _ architecture: Architecture) -> String {
    var out = TextBuilder()
    let mark = dialect.comment
    out.line("\(mark) \(generator.origin(nil))")
    out.line(
      "\(mark) Constants have Xen's names; a structure gives NAME_SIZE and NAME_OFFSET_FIELD,")
    out.line("\(mark) with NAME_OFFSET_OUTER_INNER for a field inside a field.")
    for subject in generator.abi.subjects {
      out.line()
      out.line("\(mark) \(subject.name): \(Prose.line(subject.title))")
      for group in subject.constants + subject.impliedConstants {
        for constant in group.constants {
          guard let number = constant.values[architecture]?.integer else { continue }
          let value = Number.text(number, hexadecimal: group.kind == .flags)
          out.line(dialect.define(constant.entry.name, value))
        }
      }
      for structure in subject.structures {
        guard let layout = generator.abi.layout(structure.entry.name, architecture) else {
          continue
        }
        let name = structure.entry.name
        out.line(dialect.define("\(name)_SIZE", String(layout.size)))
        for (path, field) in layout.named {
          let label = path.replacing(".", with: "_")
          out.line(dialect.define("\(name)_OFFSET_\(label)", String(field.offset)))
        }
      }
    }
    return out.text
  }
}
