// Layouts: what abi/ states about sizes, offsets and padding is what C's rules give.

extension ABIChecker {
  /// Checks and returns all layouts of one architecture.
  func checkLayouts(_ architecture: Architecture) -> [String: StructureLayout] {
    var engine = LayoutEngine(
      architecture, structures: structures, scalars: scalars, constants: constants)
    var layouts: [String: StructureLayout] = [:]
    for structure in subjects.flatMap(\.structures) where structure.exists(on: architecture) {
      do {
        let layout = try engine.layout(structure)
        layouts[structure.entry.name] = layout
        checkSize(structure, layout, architecture)
        checkHoles(structure, layout, architecture)
        checkOffsets(layout.fields, architecture, base: 0)
      } catch {
        sink.error(error.position, error.message, hint: error.hint)
      }
    }
    for scalar in scalars.values.sorted(by: { $0.entry.position < $1.entry.position }) {
      do {
        _ = try engine.extent(of: scalar.type, at: scalar.entry.position)
      } catch {
        sink.error(error.position, error.message, hint: error.hint)
      }
    }
    return layouts
  }

  private func checkSize(
    _ structure: Structure, _ layout: StructureLayout, _ architecture: Architecture
  ) {
    guard let declared = structure.declaredSize[architecture] else {
      sink.error(
        structure.entry.position,
        "expected `size` of `\(structure.entry.name)` for \(architecture.rawValue), found none",
        hint: "the fields give \(layout.size); or limit the structure with `arch:`")
      return
    }
    if declared != layout.size {
      sink.error(
        structure.entry.position,
        "expected size \(declared) of `\(structure.entry.name)` on \(architecture.rawValue), "
          + "found \(layout.size) from its fields",
        hint: "one of the two is wrong: check the fields' types, or the declared size")
    }
  }

  private func checkHoles(
    _ structure: Structure, _ layout: StructureLayout, _ architecture: Architecture
  ) {
    for hole in layout.holes {
      sink.error(
        hole.after ?? structure.entry.position,
        "expected no hole in `\(structure.entry.name)` on \(architecture.rawValue), found "
          + "\(hole.size) bytes at offset \(hole.offset) after this field",
        hint: "declare it: { name: hole0, type: \"u8[\(hole.size)]\", pad: true, arch: "
          + "\(architecture.rawValue) } (without arch where both have it)")
    }
  }

  /// Offsets that abi/ states are those of the layout; inside the previous field they overlap it.
  private func checkOffsets(_ fields: [FieldLayout], _ architecture: Architecture, base: Int) {
    var previousEnd = base
    for layout in fields {
      if let declared = layout.field.declaredOffset[architecture], declared != layout.offset {
        let name = layout.name ?? "a field without a name"
        let verdict =
          declared < previousEnd && layout.offset >= previousEnd
          ? "overlaps the field before" : "is not where the fields before end"
        sink.error(
          layout.field.position,
          "expected `\(name)` at offset \(declared) on \(architecture.rawValue), found "
            + "\(layout.offset): the declared one \(verdict)")
      }
      previousEnd = max(previousEnd, layout.offset + layout.size)
      checkOffsets(layout.members, architecture, base: layout.offset)
    }
  }

  /// The parts of a stream are fields: two arrays of bytes, and four indexes of 32 bits.
  func checkStreams() {
    for structure in subjects.flatMap(\.structures) {
      guard let stream = structure.stream else { continue }
      for name in [stream.input, stream.output] {
        checkPart(name, structure, stream, "an array of bytes whose size is a power of two") {
          guard case .array(let element, .literal(let count)) = resolved($0) else { return false }
          let isByte = element == .char || element == .integer(bits: 8, signed: false)
          return isByte && count > 0 && count & (count - 1) == 0
        }
      }
      for name in [
        stream.inputConsumer, stream.inputProducer, stream.outputConsumer, stream.outputProducer,
      ] {
        checkPart(name, structure, stream, "an index of type u32") {
          resolved($0) == .integer(bits: 32, signed: false)
        }
      }
    }
  }

  private func checkPart(
    _ name: String, _ structure: Structure, _ stream: StreamRing, _ expected: String,
    _ isRight: (TypeReference) -> Bool
  ) {
    let field = structure.fields.first { $0.name == name }
    if case .type(let type)? = field?.content, isRight(type) { return }
    sink.error(
      stream.position,
      "expected `\(name)` in `\(structure.entry.name)` to be \(expected), found "
        + (field == nil ? "no such field" : "another type"),
      hint: NearNames.hint(name, in: structure.fields.compactMap(\.name)))
  }

  /// The type behind scalars' names, with counts as numbers where x86_64 knows them.
  private func resolved(_ type: TypeReference, depth: Int = 0) -> TypeReference {
    switch type {
    case .named(let name):
      guard depth < 8, let scalar = scalars[name] else { return type }
      return resolved(scalar.type, depth: depth + 1)
    case .array(let element, .constant(let name)):
      let count = constants[name]?.values.any?.integer.flatMap { Int(exactly: $0) }
      return .array(of: resolved(element), count: count.map(ArrayCount.literal) ?? .constant(name))
    default: return type
    }
  }
}
