// Jump labels and static calls in an image without symbols. Both tables are runs of entries whose
// first field leads to an instruction of a known shape; a run of sixteen does not come by chance.

import KernelImage

/// What the search of a stripped image found.
struct DiscoveredTables {
  var jumpLabels: PatchTable?
  var staticCalls: PatchTable?
}

extension TableLocator {
  /// A run of fewer entries than this is taken for chance.
  private static let shortestRun = 16

  /// One kind of table to look for.
  private struct Shape {
    var stride: Int
    var alignment: Int
    var isEntry: (PatchTable, Int) -> Bool
    var best: (section: Int, range: Range<Int>)?
  }

  /// The longest run of jump labels and that of static calls in the data sections of a linked image.
  func discover() -> DiscoveredTables {
    guard !image.isRelocatable else { return DiscoveredTables() }
    let wide = image.width == .bits64
    var shapes = [
      Shape(stride: wide ? 16 : 12, alignment: wide ? 8 : 4, isEntry: isJumpLabelEntry),
      Shape(stride: 8, alignment: 4, isEntry: isStaticCallEntry),
    ]
    for section in image.sections where Self.mayHoldTables(section) {
      search(section, for: &shapes)
    }
    let found = shapes.map { shape in
      shape.best.map { table(section: $0.section, range: $0.range) }
    }
    return DiscoveredTables(jumpLabels: found[0], staticCalls: found[1])
  }

  private func search(_ section: ImageSection, for shapes: inout [Shape]) {
    // Nearly all words of a data section lead nowhere near code: two comparisons say so.
    let code = image.sections.filter { $0.isAllocated && $0.isExecutable }
    guard let main = code.max(by: { $0.size < $1.size }) else { return }
    let others = code.filter { $0.index != main.index }
    let low = others.map(\.address).min() ?? 0
    let span = (others.map { $0.address &+ $0.size }.max() ?? 0) &- low
    let table = table(section: section.index, range: nil)
    // Up to here, a shape's runs have been looked at.
    var done = [Int](repeating: 0, count: shapes.count)
    for offset in stride(from: 0, to: section.bytes.count, by: 4) {
      let word = section.bytes.load(offset, as: Int32.self) ?? 0
      let place = section.address &+ UInt64(offset) &+ UInt64(bitPattern: Int64(word))
      guard word != 0, place &- main.address < main.size || place &- low < span else { continue }
      for index in shapes.indices
      where offset >= done[index] && offset.isMultiple(of: shapes[index].alignment) {
        let shape = shapes[index]
        var end = offset
        while shape.isEntry(table, end) { end += shape.stride }
        // Each entry is looked at once: the search goes on after the run.
        done[index] = end
        if end - offset > shape.best?.range.count ?? (Self.shortestRun * shape.stride - 1) {
          shapes[index].best = (section.index, offset..<end)
        }
      }
    }
  }

  /// Linker scripts put these tables into .rodata or .data; a file without sections has segments.
  private static func mayHoldTables(_ section: ImageSection) -> Bool {
    section.isAllocated && !section.isExecutable
      && (section.name == ".data" || section.name.hasPrefix(".rodata")
        || section.name.hasPrefix("segment"))
  }

  private func isJumpLabelEntry(_ table: PatchTable, _ offset: Int) -> Bool {
    guard let place = table.relative32(at: offset), table.isCode(place, length: 5),
      let target = table.relative32(at: offset + 4), table.isCode(target, length: 1),
      place.section == target.section, place.address != target.address
    else { return false }
    return isJumpLabel(place)
  }

  private func isStaticCallEntry(_ table: PatchTable, _ offset: Int) -> Bool {
    guard let place = table.relative32(at: offset), table.isCode(place, length: 5),
      let first = code(place), first == 0xe8 || first == 0xe9, !isTrampoline(place),
      let key = table.bytes.load(offset + 4, as: Int32.self)
    else { return false }
    // The two low bits of the key's address are flags.
    let field = table.address &+ UInt64(offset + 4)
    let address = (field &+ UInt64(bitPattern: Int64(key))) & ~3
    guard let data = map.locate(address) else { return false }
    return !image.sections[data.section].isExecutable
  }

  /// The jump of a static call's own trampoline.
  ///
  /// A second table of the same shape lists these and follows the sites without a gap. Behind the jump
  /// stand marks that no compiler makes: `ud1 %esp, %ecx`, or the letters "SCT" in older kernels.
  private func isTrampoline(_ place: ImageAddress) -> Bool {
    let section = image.sections[place.section]
    guard let offset = Int(exactly: place.address &- section.address),
      let mark = section.bytes.load(offset + 5, as: UInt32.self)
    else { return false }
    return mark & 0xff_ffff == 0xcc_b90f || mark & 0xff_ffff == 0x54_4353
  }

  /// A two- or five-byte no-operation or jump, as jump labels are compiled.
  private func isJumpLabel(_ place: ImageAddress) -> Bool {
    let section = image.sections[place.section]
    guard let offset = Int(exactly: place.address &- section.address) else { return false }
    switch section.bytes.load(offset, as: UInt8.self) {
    case 0xe9, 0xeb: return true
    case 0x66: return section.bytes.load(offset + 1, as: UInt8.self) == 0x90
    case 0x0f: return section.bytes.load(offset + 1, as: UInt32.self) == 0x0000_441f
    default: return false
    }
  }
}
