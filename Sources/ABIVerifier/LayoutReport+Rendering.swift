// The comparison as text for people, and as JSON for scripts.

public import ABIGenerator

extension LayoutReport {
  /// The document that interface scripts read.
  public var json: JSONValue {
    .compact([
      ("schema", .string("xenograft.abi-verify/1")), ("path", .string(path)),
      ("architecture", .string(architecture)),
      ("structures", .array(structures.map(\.json))),
      (
        "summary",
        .compact([
          ("match", .integer(Int128(count(.match)))),
          ("mismatch", .integer(Int128(count(.mismatch)))),
          ("absent", .integer(Int128(count(.absent)))),
        ])
      ),
    ])
  }

  /// Mismatches field by field, then the counts.
  public var text: String {
    var lines: [String] = []
    for structure in structures where structure.verdict == .mismatch {
      let place = structure.declaredIn.map { ", declared in \($0)" } ?? ""
      lines.append("mismatch: \(structure.name) (\(structure.dwarfName ?? "?")\(place))")
      if structure.size.abi != structure.size.found {
        lines.append("  size: expected \(structure.size.abi), found \(structure.size.found ?? 0)")
      }
      for field in structure.fields where field.verdict == .mismatch {
        lines.append("  \(field.name): \(field.difference)")
      }
    }
    for structure in structures where structure.verdict == .match {
      let other = structure.fields.compactMap { field in
        field.verdict == .absent
          ? "no \(field.name)" : field.foundName.map { "\(field.name) as \($0)" }
      }
      let note = other.isEmpty ? "" : " (\(other.joined(separator: ", ")))"
      lines.append("match: \(structure.name), \(structure.fields.count) fields\(note)")
    }
    lines.append(
      "\(path) (\(architecture)): \(count(.match)) match, \(count(.mismatch)) mismatch, "
        + "\(count(.absent)) absent")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension FieldReport {
  var difference: String {
    guard let offset = offset.found, let size = size.found else {
      return "expected \(self.size.abi) bytes at offset \(self.offset.abi), "
        + "found no field or fields that cover just these bytes"
    }
    return "expected \(self.size.abi) bytes at offset \(self.offset.abi), "
      + "found \(size) bytes at offset \(offset)"
  }
}

extension StructureReport {
  var json: JSONValue {
    .compact([
      ("name", .string(name)), ("dwarfName", dwarfName.map(JSONValue.string) ?? .null),
      ("declaredIn", declaredIn.map(JSONValue.string)), ("status", .string(verdict.rawValue)),
      ("size", size.json),
      (
        "fields",
        .array(
          fields.map { field in
            .compact([
              ("name", .string(field.name)), ("status", .string(field.verdict.rawValue)),
              ("offset", field.offset.json), ("size", field.size.json),
              ("foundName", field.foundName.map(JSONValue.string)),
            ])
          })
      ),
    ])
  }
}

extension LayoutPair {
  var json: JSONValue {
    .object([
      (key: "abi", value: .integer(Int128(abi))),
      (key: "found", value: found.map { .integer(Int128($0)) } ?? .null),
    ])
  }
}
