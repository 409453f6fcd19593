// The walk through the entries of a unit: which functions, inlined or not, cover the wanted addresses.
// Each unit is walked once, and what cannot matter is passed over: types, variables, and all below
// a function or block that covers none of the addresses.

/// One walk through a unit.
struct DwarfScopeWalk {
  /// The deepest nesting that is followed; honest code stays below 100.
  private static let depthLimit = 256

  private let reader: DwarfReader
  private let context: DwarfUnitContext
  private let wanted: ArraySlice<UInt64>
  private var cursor: DwarfCursor
  private var found: DwarfScopes
  /// The innermost function at each open level of entries.
  private var levels: [Int?] = []
  private var ranges: [Range<UInt64>] = []

  /// What becomes of an entry's children.
  private enum Verdict {
    case skip
    case enter(Int?)
  }

  /// The scopes that cover `wanted`, which ascends.
  static func run(
    _ wanted: ArraySlice<UInt64>, in context: DwarfUnitContext, _ reader: DwarfReader
  ) throws(ImageError) -> DwarfScopes {
    var walk = Self(wanted, context, reader)
    try walk.walk()
    return walk.found
  }

  private init(
    _ wanted: ArraySlice<UInt64>, _ context: DwarfUnitContext, _ reader: DwarfReader
  ) {
    self.wanted = wanted
    self.context = context
    self.reader = reader
    cursor = context.cursor(in: reader.file, at: context.unit.firstEntry)
    found = DwarfScopes(innermost: Array(repeating: nil, count: wanted.count))
  }

  private mutating func walk() throws(ImageError) {
    // The unit's own entry.
    guard let root = try nextAbbreviation() else { return }
    try skipAttributes(of: root)
    guard root.hasChildren else { return }
    levels = [nil]
    var steps = 0
    while let level = levels.last {
      steps += 1
      if steps & 0xff == 0 { try reader.charge(0x100) }
      let offset = cursor.offset
      guard let abbreviation = try nextAbbreviation() else {
        // Code 0 closes a level; units end without the last ones as well.
        if cursor.isAtEnd { break }
        levels.removeLast()
        continue
      }
      let start = cursor.offset
      let verdict = try judge(abbreviation, at: offset, inside: level)
      guard abbreviation.hasChildren else { continue }
      if case .enter(let scope) = verdict, levels.count < Self.depthLimit {
        levels.append(scope)
      } else {
        try skipChildren(of: abbreviation, start)
      }
    }
  }

  /// Passes an entry's attributes and says whether its children are worth entering.
  private mutating func judge(
    _ abbreviation: DwarfAbbreviation, at offset: Int, inside level: Int?
  ) throws(ImageError) -> Verdict {
    switch abbreviation.role {
    case .other:
      try skipAttributes(of: abbreviation)
      return .skip
    case .container:
      try skipAttributes(of: abbreviation)
      return context.isFlat ? .skip : .enter(level)
    case .function, .block:
      let span = try readSpan(of: abbreviation)
      return try judge(span, abbreviation, at: offset, inside: level)
    }
  }

  private mutating func judge(
    _ span: DwarfCodeSpan, _ abbreviation: DwarfAbbreviation, at offset: Int, inside level: Int?
  ) throws(ImageError) -> Verdict {
    if span.isAbsent {
      // A block without addresses may hold some that have them, and so may a declaration's body
      // in languages with functions inside functions.
      return abbreviation.role == .block || !context.isFlat ? .enter(level) : .skip
    }
    try reader.readRanges(span, in: context, into: &ranges)
    if abbreviation.role == .block {
      return coversAny() ? .enter(level) : .skip
    }
    var scope: Int?
    for range in ranges {
      var index = wanted.firstIndex(notBelow: range.lowerBound)
      while index < wanted.endIndex, wanted[index] < range.upperBound {
        if scope == nil {
          scope = found.scopes.count
          found.scopes.append(
            DwarfScope(
              entry: offset, parent: level,
              isInlined: abbreviation.tag == DwarfTag.inlinedSubroutine))
        }
        found.innermost[index - wanted.startIndex] = scope
        try reader.charge(1)
        index += 1
      }
    }
    return scope.map { .enter($0) } ?? .skip
  }

  private func coversAny() -> Bool {
    ranges.contains { range in
      let index = wanted.firstIndex(notBelow: range.lowerBound)
      return index < wanted.endIndex && wanted[index] < range.upperBound
    }
  }

  /// The abbreviation of the entry at the cursor, `nil` for code 0 and at the end.
  @inline(__always)
  private mutating func nextAbbreviation() throws(ImageError) -> DwarfAbbreviation? {
    guard !cursor.isAtEnd else { return nil }
    let offset = cursor.offset
    let code = cursor.uleb()
    guard code != 0 else { return nil }
    guard let abbreviation = context.table[code] else {
      throw reader.unknownCode(code, at: offset)
    }
    return abbreviation
  }

  @inline(__always)
  private mutating func skipAttributes(of abbreviation: DwarfAbbreviation) throws(ImageError) {
    if abbreviation.size >= 0 {
      cursor.skip(abbreviation.size)
      if !cursor.failed { return }
    }
    // Attributes may have no bytes, so the entry's size does not bound their number.
    try reader.charge(abbreviation.attributes.count)
    for index in abbreviation.attributes {
      let spec = context.table.attributes[index]
      guard DwarfForm.skip(spec.form, in: context.unit, &cursor), !cursor.failed else {
        throw reader.badAttribute(spec, before: cursor.offset)
      }
    }
  }

  /// Passes an entry's attributes and keeps those that say which addresses it covers.
  private mutating func readSpan(
    of abbreviation: DwarfAbbreviation
  ) throws(ImageError) -> DwarfCodeSpan {
    try reader.charge(abbreviation.attributes.count)
    var span = DwarfCodeSpan()
    for index in abbreviation.attributes {
      let spec = context.table.attributes[index]
      switch spec.name {
      case DwarfAttribute.lowPC, DwarfAttribute.highPC, DwarfAttribute.ranges:
        guard
          let value = DwarfForm.read(spec, in: context.unit, of: reader.file.info, &cursor),
          !cursor.failed
        else { throw reader.badAttribute(spec, before: cursor.offset) }
        switch spec.name {
        case DwarfAttribute.lowPC: span.low = value
        case DwarfAttribute.highPC: span.high = value
        default: span.ranges = value
        }
      default:
        guard DwarfForm.skip(spec.form, in: context.unit, &cursor), !cursor.failed else {
          throw reader.badAttribute(spec, before: cursor.offset)
        }
      }
    }
    return span
  }

  /// Passes all entries below one; its attributes were passed, and began at `start`.
  private mutating func skipChildren(
    of abbreviation: DwarfAbbreviation, _ start: Int
  ) throws(ImageError) {
    if jumpToSibling(abbreviation, start) { return }
    var depth = 1
    var steps = 0
    while depth > 0, !cursor.isAtEnd {
      steps += 1
      if steps & 0xff == 0 { try reader.charge(0x100) }
      guard let child = try nextAbbreviation() else {
        depth -= 1
        continue
      }
      let start = cursor.offset
      try skipAttributes(of: child)
      if child.hasChildren, !jumpToSibling(child, start) { depth += 1 }
    }
  }

  /// Uses an entry's own word on where the next one is; it may only lead forward.
  @inline(__always)
  private mutating func jumpToSibling(_ abbreviation: DwarfAbbreviation, _ start: Int) -> Bool {
    guard abbreviation.siblingOffset >= 0 else { return false }
    var reference = cursor
    reference.seek(to: start + abbreviation.siblingOffset)
    let target = Int(reference.u32()) + context.unit.offset
    guard !reference.failed, target > cursor.offset, target <= context.unit.end else {
      return false
    }
    cursor.seek(to: target)
    return true
  }
}
