// The layout rules of C on x86: System V ABI for AMD64 and for i386. On i386 a 64-bit integer
// inside a structure is aligned to 4 bytes; everything else has the alignment of its size.

/// Why a layout cannot be computed.
struct LayoutFault: Error, Equatable {
  var position: SourcePosition
  var message: String
  var hint: String?
}

/// Computes and remembers layouts for one architecture.
struct LayoutEngine {
  static let largestCount = 1 << 20
  static let largestSize = 1 << 24

  let architecture: Architecture
  let structures: [String: Structure]
  let scalars: [String: ScalarType]
  let constants: [String: Constant]
  private var finished: [String: Result<StructureLayout, LayoutFault>] = [:]
  private var inProgress: [String] = []

  init(
    _ architecture: Architecture, structures: [String: Structure], scalars: [String: ScalarType],
    constants: [String: Constant]
  ) {
    self.architecture = architecture
    self.structures = structures
    self.scalars = scalars
    self.constants = constants
  }

  /// Size and alignment of a type.
  struct Extent: Equatable {
    var size: Int
    var alignment: Int
  }

  mutating func layout(_ structure: Structure) throws(LayoutFault) -> StructureLayout {
    let name = structure.entry.name
    if let done = finished[name] { return try done.get() }
    if inProgress.contains(name) || inProgress.count >= 32 {
      throw LayoutFault(
        position: structure.entry.position,
        message: "`\(name)` contains itself: \((inProgress + [name]).joined(separator: " in "))",
        hint: "a structure may point to itself with handle<\(name)>")
    }
    inProgress.append(name)
    defer { inProgress.removeLast() }
    let result: Result<StructureLayout, LayoutFault>
    do {
      result = .success(try compute(structure))
    } catch {
      result = .failure(error)
    }
    finished[name] = result
    return try result.get()
  }

  private mutating func compute(_ structure: Structure) throws(LayoutFault) -> StructureLayout {
    var cursor = LayoutCursor(isUnion: structure.kind == .union, isPacked: structure.isPacked)
    try place(structure.fields, at: 0, with: &cursor, isPacked: structure.isPacked)
    if let declared = structure.declaredAlignment[architecture] {
      guard declared > 0, declared <= 4_096, declared & (declared - 1) == 0 else {
        throw LayoutFault(
          position: structure.entry.position,
          message: "expected `align` to be a power of two up to 4096, found \(declared)", hint: nil)
      }
      cursor.alignment = max(cursor.alignment, declared)
    }
    return try cursor.finish(at: structure.entry.position)
  }

  private mutating func place(
    _ fields: [Field], at base: Int, with cursor: inout LayoutCursor, isPacked: Bool
  ) throws(LayoutFault) {
    let present = fields.enumerated().filter {
      $0.element.architecture == nil || $0.element.architecture == architecture
    }
    for (index, field) in present {
      var members: [FieldLayout] = []
      let extent: Extent
      switch field.content {
      case .type(let type):
        let isLast = index == present.last?.offset
        extent = try self.extent(of: type, at: field.position, mayBeFlexible: isLast)
      case .members(let kind, let inner):
        var nested = LayoutCursor(isUnion: kind == .union, isPacked: isPacked)
        try place(inner, at: 0, with: &nested, isPacked: isPacked)
        let layout = try nested.finish(at: field.position)
        members = layout.fields
        extent = Extent(size: layout.size, alignment: layout.alignment)
        cursor.innerHoles = layout.holes
      }
      try cursor.add(field, at: index, extent, members)
    }
  }

  mutating func extent(
    of type: TypeReference, at position: SourcePosition, mayBeFlexible: Bool = false
  ) throws(LayoutFault) -> Extent {
    switch type {
    case .integer(let bits, _):
      let size = bits / 8
      return Extent(size: size, alignment: min(size, architecture.wordSize))
    case .aligned64: return Extent(size: 8, alignment: 8)
    case .char: return Extent(size: 1, alignment: 1)
    case .long, .pointer, .handle:
      return Extent(size: architecture.wordSize, alignment: architecture.wordSize)
    case .named(let name): return try named(name, at: position)
    case .array(let element, let count):
      let one = try extent(of: element, at: position)
      if count == .flexible, !mayBeFlexible {
        throw LayoutFault(
          position: position, message: "expected a count, found `[]` before the last field",
          hint: nil)
      }
      let (size, overflow) = one.size.multipliedReportingOverflow(
        by: try elements(count, at: position))
      guard !overflow, size <= Self.largestSize else {
        throw LayoutFault(
          position: position,
          message: "expected an array of at most \(Self.largestSize) bytes, found a larger one",
          hint: nil)
      }
      return Extent(size: size, alignment: one.alignment)
    }
  }

  private mutating func named(
    _ name: String, at position: SourcePosition
  ) throws(LayoutFault) -> Extent {
    if let structure = structures[name] {
      guard structure.exists(on: architecture) else {
        throw LayoutFault(
          position: position, message: "`\(name)` does not exist on \(architecture.rawValue)",
          hint: "give the field `arch:` as well")
      }
      let layout = try layout(structure)
      return Extent(size: layout.size, alignment: layout.alignment)
    }
    guard let scalar = scalars[name] else {
      throw LayoutFault(
        position: position, message: "unknown type `\(name)`",
        hint: NearNames.hint(name, in: Array(structures.keys) + Array(scalars.keys)))
    }
    guard !inProgress.contains(name), inProgress.count < 32 else {
      throw LayoutFault(
        position: scalar.entry.position, message: "type `\(name)` is defined by itself", hint: nil)
    }
    inProgress.append(name)
    defer { inProgress.removeLast() }
    return try extent(of: scalar.type, at: position)
  }

  private func elements(
    _ count: ArrayCount, at position: SourcePosition
  ) throws(LayoutFault) -> Int {
    switch count {
    case .flexible: return 0
    case .literal(let number): return number
    case .constant(let name):
      guard let constant = constants[name] else {
        throw LayoutFault(
          position: position, message: "unknown constant `\(name)` as an array's count",
          hint: NearNames.hint(name, in: constants.keys))
      }
      guard let number = constant.values[architecture]?.integer, number >= 0,
        number <= Int128(Self.largestCount)
      else {
        throw LayoutFault(
          position: position,
          message:
            "expected `\(name)` to be a count up to \(Self.largestCount), found another value",
          hint: nil)
      }
      return Int(number)
    }
  }
}
