// Places fields one after the other (or, in a union, on top of each other).

/// The state of placing the fields of one structure or union.
struct LayoutCursor {
  let isUnion: Bool
  let isPacked: Bool
  var alignment = 1
  /// Holes inside the nested structure that is about to be added.
  var innerHoles: [StructureLayout.Hole] = []
  private var end = 0
  private var fields: [FieldLayout] = []
  private var holes: [StructureLayout.Hole] = []

  init(isUnion: Bool, isPacked: Bool) {
    self.isUnion = isUnion
    self.isPacked = isPacked
  }

  mutating func add(
    _ field: Field, at index: Int, _ extent: LayoutEngine.Extent, _ members: [FieldLayout]
  ) throws(LayoutFault) {
    let fieldAlignment = isPacked ? 1 : extent.alignment
    alignment = max(alignment, fieldAlignment)
    let offset = isUnion ? 0 : roundUp(end, to: fieldAlignment)
    if offset > end, !isUnion {
      holes.append(.init(offset: end, size: offset - end, after: fields.last?.field.position))
    }
    holes += innerHoles.map { .init(offset: $0.offset + offset, size: $0.size, after: $0.after) }
    innerHoles = []
    fields.append(
      FieldLayout(
        name: field.name, offset: offset, size: extent.size, index: index, field: field,
        members: members.map { moved($0, by: offset) }))
    end = max(end, offset + extent.size)
    try checkSize(field.position)
  }

  func finish(at position: SourcePosition) throws(LayoutFault) -> StructureLayout {
    let size = roundUp(end, to: alignment)
    var holes = holes
    if size > end, !isUnion {
      holes.append(.init(offset: end, size: size - end, after: fields.last?.field.position))
    }
    guard size <= LayoutEngine.largestSize else { throw tooLarge(position) }
    return StructureLayout(size: size, alignment: alignment, fields: fields, holes: holes)
  }

  private func checkSize(_ position: SourcePosition) throws(LayoutFault) {
    if end > LayoutEngine.largestSize { throw tooLarge(position) }
  }

  private func tooLarge(_ position: SourcePosition) -> LayoutFault {
    LayoutFault(
      position: position,
      message:
        "expected a structure of at most \(LayoutEngine.largestSize) bytes, found a larger one",
      hint: nil)
  }

  private func roundUp(_ value: Int, to alignment: Int) -> Int {
    (value + alignment - 1) & ~(alignment - 1)
  }

  private func moved(_ layout: FieldLayout, by distance: Int) -> FieldLayout {
    var layout = layout
    layout.offset += distance
    layout.members = layout.members.map { moved($0, by: distance) }
    return layout
  }
}
