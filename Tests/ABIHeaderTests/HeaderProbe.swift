// Turns the ABI's data into static asserts about Xen's headers, one line each.

import ABISchema

/// The asserts for one architecture, with counts for the record.
struct HeaderProbe {
  private(set) var structures = 0
  private(set) var fields = 0
  private(set) var constants = 0
  private var lines: [String] = []

  init(_ abi: ABI, _ architecture: Architecture) {
    for structure in abi.structures where !structure.entry.isOwn {
      if let layout = abi.layout(structure.entry.name, architecture) { add(structure, layout) }
    }
    for ring in abi.subjects.flatMap(\.rings) where !ring.entry.isOwn {
      add(ring, abi, architecture)
    }
    for subject in abi.subjects {
      // The groups made from operations, notes and states have no spelling of their own.
      let groups = subject.constants.filter { !$0.entry.isOwn } + subject.impliedConstants
      for constant in groups.flatMap(\.constants) where !constant.entry.isOwn {
        if let value = constant.values[architecture] { add(constant, value) }
      }
    }
  }

  /// The probe as a C source.
  var source: String { XenHeaders.prelude + lines.joined(separator: "\n") + "\n" }

  private mutating func add(_ structure: Structure, _ layout: StructureLayout) {
    let name = structure.cName
    structures += 1
    assert("sizeof(\(name))", layout.size, "\(name): size")
    for (path, field) in layout.named where !field.field.isPadding {
      fields += 1
      assert("offsetof(\(name), \(path))", field.offset, "\(name).\(path): offset")
      if case .type(.array(_, .flexible)) = field.field.content { continue }
      assert("sizeof(((\(name) *)0)->\(path))", field.size, "\(name).\(path): size")
    }
  }

  /// The shared page of a ring: its four indexes, where the slots start, and the size of a slot.
  private mutating func add(_ ring: Ring, _ abi: ABI, _ architecture: Architecture) {
    let page = "struct \(ring.cName)_sring"
    let slot = "union \(ring.cName)_sring_entry"
    guard let header = abi.layout("ring_header", architecture),
      let request = abi.layout(ring.request, architecture),
      let response = abi.layout(ring.response, architecture)
    else { return }
    structures += 2
    for field in header.fields.prefix(4) {
      guard let name = field.name else { continue }
      fields += 1
      assert("offsetof(\(page), \(name))", field.offset, "\(page).\(name): offset")
    }
    fields += 1
    assert("offsetof(\(page), ring)", header.size, "\(page).ring: offset")
    let alignment = max(request.alignment, response.alignment)
    let size = (max(request.size, response.size) + alignment - 1) / alignment * alignment
    assert("sizeof(\(slot))", size, "\(slot): size")
  }

  private mutating func add(_ constant: Constant, _ value: ConstantValue) {
    constants += 1
    let name = constant.cName
    switch value {
    case .integer(let number):
      let bits = String(UInt64(truncatingIfNeeded: number), radix: 16)
      lines.append(
        "_Static_assert((unsigned long long)(\(name)) == 0x\(bits)ULL, \"\(name): value\");")
    case .string(let text):
      let equal = "__builtin_strcmp(\(name), \"\(text)\") == 0"
      lines.append("_Static_assert(\(equal), \"\(name): value\");")
    }
  }

  private mutating func assert(_ expression: String, _ value: Int, _ label: String) {
    lines.append("_Static_assert(\(expression) == \(value), \"\(label)\");")
  }
}
