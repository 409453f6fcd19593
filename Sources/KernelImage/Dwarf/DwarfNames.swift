// Names of functions and the calls that were inlined: attributes that are found through an entry's
// abstract origin or specification (DWARF 5, 3.3.8.2 and 2.13.2).

/// Where a function was called that was then inlined.
struct DwarfCall {
  var file: UInt64 = 0
  var line: UInt64 = 0
}

extension DwarfReader {
  /// The most entries that are asked for one name; honest chains have up to four.
  private static let chainLimit = 16

  /// The linkage name of a function, else its plain name, else an empty string.
  func functionName(
    ofEntry offset: Int, in context: DwarfUnitContext
  ) throws(ImageError) -> String {
    if let known = functionNames[offset] { return known }
    var plain: String?
    var linkage: String?
    var pending: [(Int, DwarfUnitContext)] = [(offset, context)]
    var seen: Set<Int> = []
    while linkage == nil, let (entry, context) = pending.popLast(), seen.count < Self.chainLimit {
      guard seen.insert(entry).inserted,
        let (abbreviation, start) = try self.entry(at: entry, in: context)
      else { continue }
      var cursor = start
      var own: DwarfValue?
      var ownLinkage: DwarfValue?
      var references: [Int] = []
      try forEachAttribute(of: abbreviation, from: &cursor, in: context) { name, value in
        switch (name, value) {
        case (DwarfAttribute.name, _): own = value
        case (DwarfAttribute.linkageName, _), (DwarfAttribute.mipsLinkageName, _):
          ownLinkage = value
        case (DwarfAttribute.abstractOrigin, .reference(let target)),
          (DwarfAttribute.specification, .reference(let target)):
          references.append(target)
        default: break
        }
      }
      linkage = try string(ownLinkage, in: context)
      if plain == nil { plain = try string(own, in: context) }
      for target in references.reversed() {
        guard let unit = unitIndex(containing: target) else { continue }
        pending.append(
          (
            target,
            units[unit].offset == context.unit.offset ? context : try self.context(ofUnit: unit)
          ))
      }
    }
    let name = linkage ?? plain ?? ""
    functionNames[offset] = name
    return name
  }

  /// The call that an inlined function stands for.
  func call(ofEntry offset: Int, in context: DwarfUnitContext) throws(ImageError) -> DwarfCall {
    var call = DwarfCall()
    guard let (abbreviation, start) = try entry(at: offset, in: context) else { return call }
    var cursor = start
    try forEachAttribute(of: abbreviation, from: &cursor, in: context) { name, value in
      switch name {
      case DwarfAttribute.callFile: call.file = value.number ?? 0
      case DwarfAttribute.callLine: call.line = value.number ?? 0
      default: break
      }
    }
    return call
  }
}
