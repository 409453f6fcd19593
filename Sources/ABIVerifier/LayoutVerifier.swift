// Compares the structures in a binary's DWARF with the ABI's: by name, and where names differ by
// the bytes that fields cover.

public import ABISchema
public import KernelImage

/// Compares layouts.
public struct LayoutVerifier: Sendable {
  private let abi: ABI

  public init(_ abi: ABI) {
    self.abi = abi
  }

  /// Reads the file's DWARF and compares every structure of the ABI that it has.
  public func verify(path: String) throws(ImageError) -> LayoutReport {
    let names = Set(abi.structures.flatMap { candidates($0).map(\.name) })
    let table = try DwarfTypeReader.read(path: path, names: names)
    let architecture: Architecture = table.width == .bits64 ? .x86_64 : .x86_32
    var reports: [StructureReport] = []
    for structure in abi.structures {
      guard let layout = abi.layout(structure.entry.name, architecture) else { continue }
      reports += report(structure, layout, table)
    }
    return LayoutReport(path: path, architecture: architecture.rawValue, structures: reports)
  }

  /// A name that a binary may use, and whether it only counts if a Xen header declares it.
  private struct Candidate {
    var name: String
    var needsXenHeader: Bool
  }

  /// The structure's own names, then Linux's habit of adding or dropping `xen_`.
  private func candidates(_ structure: Structure) -> [Candidate] {
    let tag = structure.kind.rawValue
    let bare = structure.entry.name
    var own = [structure.cName, "\(tag) \(bare)"]
    if let typedef = structure.typedef { own.append(typedef) }
    let other = bare.hasPrefix("xen_") ? String(bare.dropFirst(4)) : "xen_" + bare
    var seen: Set<String> = []
    return
      (own.map { Candidate(name: $0, needsXenHeader: false) }
      + [Candidate(name: "\(tag) \(other)", needsXenHeader: true)])
      .filter { seen.insert($0.name).inserted }
  }

  /// One report a definition: a binary may hold several of one name.
  private func report(
    _ structure: Structure, _ layout: StructureLayout, _ table: DwarfTypeTable
  ) -> [StructureReport] {
    for candidate in candidates(structure) {
      var found = table.structures[candidate.name] ?? []
      let fromXen = found.filter { $0.declaredIn?.lowercased().contains("xen") == true }
      // A definition that a Xen header declares is meant before any namesake.
      if !fromXen.isEmpty || candidate.needsXenHeader { found = fromXen }
      if found.isEmpty { continue }
      let reports = found.map { compare(structure, layout, $0, candidate.name, table) }
      let bad = reports.filter { $0.verdict == .mismatch }
      // Definitions that differ only in where they were declared, or in names, say the same.
      return bad.isEmpty ? Array(reports.prefix(1)) : bad
    }
    return [
      StructureReport(
        name: structure.entry.name, dwarfName: nil, declaredIn: nil, verdict: .absent,
        size: LayoutPair(abi: layout.size, found: nil), fields: [])
    ]
  }

  private func compare(
    _ structure: Structure, _ layout: StructureLayout, _ found: DwarfStructure, _ name: String,
    start: Int
  ) -> StructureReport {
    let paths = FoundPaths(found, base: start)
    var fields: [FieldReport] = []
    let alternatives = Alternatives(structure, layout)
    for (path, place) in layout.named where !place.field.isPadding {
      var field = compare(path, place, paths)
      // A union gains members over the years; a binary built against older headers lacks them.
      if field.offset.found == nil,
        alternatives.isMissing(path, in: paths) || place.offset + place.size <= start
      {
        field.verdict = .absent
      }
      fields.append(field)
    }
    let end = found.size + start
    // A part may be padded differently at its end.
    let hasSize =
      end == layout.size || start > 0 && paths.isPadding(layout.size, end - layout.size)
    let isSame = hasSize && fields.allSatisfy { $0.verdict != .mismatch }
    return StructureReport(
      name: structure.entry.name, dwarfName: name, declaredIn: found.declaredIn,
      verdict: isSame ? .match : .mismatch,
      size: LayoutPair(abi: layout.size, found: found.size + start),
      fields: fields)
  }

  /// Compares the binary's structure as it stands, and else as a part of one that the ABI means.
  ///
  /// Linux keeps the first byte of block requests, which all kinds share, in a structure around
  /// them. That counts only where another structure of the ABI holds this one at just that place.
  private func compare(
    _ structure: Structure, _ layout: StructureLayout, _ found: DwarfStructure, _ name: String,
    _ table: DwarfTypeTable
  ) -> StructureReport {
    let whole = compare(structure, layout, found, name, start: 0)
    if whole.verdict == .match { return whole }
    for start in 1...8 {
      let isHeld = table.structures.values.joined().contains {
        FoundPaths($0).contains(name, at: start)
      }
      guard isHeld else { continue }
      let part = compare(structure, layout, found, name, start: start)
      if part.verdict == .match { return part }
    }
    return whole
  }

  private func compare(_ path: String, _ place: FieldLayout, _ paths: FoundPaths) -> FieldReport {
    if PaddingName.matches(path), paths.isPadding(place.offset, place.size) {
      return FieldReport(
        name: path, verdict: .match, offset: LayoutPair(abi: place.offset, found: place.offset),
        size: LayoutPair(abi: place.size, found: place.size))
    }
    if let same = paths.byPath[path] {
      // An array without a count, or a type out of reach, has an offset only.
      let isSame = same.offset == place.offset && same.size.map { $0 == place.size } ?? true
      return FieldReport(
        name: path, verdict: isSame ? .match : .mismatch,
        offset: LayoutPair(abi: place.offset, found: same.offset),
        size: LayoutPair(abi: place.size, found: same.size ?? place.size))
    }
    // Another name is no fault where the binary divides the same bytes in the same way.
    if let name = paths.name(covering: place.offset, place.size) {
      return FieldReport(
        name: path, verdict: .match, offset: LayoutPair(abi: place.offset, found: place.offset),
        size: LayoutPair(abi: place.size, found: place.size), foundName: name)
    }
    // Older headers have padding where a later version of Xen put a field.
    let isLater = paths.isPadding(place.offset, place.size)
    return FieldReport(
      name: path, verdict: isLater ? .absent : .mismatch,
      offset: LayoutPair(abi: place.offset, found: nil),
      size: LayoutPair(abi: place.size, found: nil))
  }
}
