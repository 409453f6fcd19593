// Jump labels and static calls in an image without symbols. Both tables are runs of entries whose
// first field leads to an instruction of a known shape; a run of sixteen does not come by chance.

import KernelImage

extension TableLocator {
  /// A run of fewer entries than this is taken for chance.
  static let shortestRun = 16

  /// The longest run of jump-label entries in a data section.
  func discoverJumpTable() -> PatchTable? {
    let stride = image.width == .bits64 ? 16 : 12
    return longestRun(stride: stride, alignment: image.width == .bits64 ? 8 : 4) { table, offset in
      guard let place = table.relative32(at: offset), table.isCode(place, length: 5),
        let target = table.relative32(at: offset + 4), table.isCode(target, length: 1),
        place.section == target.section, place.address != target.address
      else { return false }
      return isJumpLabel(place)
    }
  }

  /// The longest run of static-call entries in a data section.
  func discoverStaticCalls() -> PatchTable? {
    longestRun(stride: 8, alignment: 4) { table, offset in
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

  private func longestRun(
    stride: Int, alignment: Int, isEntry: (PatchTable, Int) -> Bool
  ) -> PatchTable? {
    guard !image.isRelocatable else { return nil }
    var best: (section: Int, range: Range<Int>)?
    for section in image.sections
    where section.isAllocated && !section.isExecutable && section.bytes.count >= stride {
      let table = table(section: section.index, range: nil)
      let end = section.bytes.count - stride
      var offset = 0
      while offset <= end {
        guard isEntry(table, offset) else {
          offset += alignment
          continue
        }
        let start = offset
        // Each entry is looked at once: the scan goes on after the run.
        while offset <= end, isEntry(table, offset) { offset += stride }
        if offset - start > best?.range.count ?? (Self.shortestRun * stride - 1) {
          best = (section.index, start..<offset)
        }
      }
    }
    return best.map { self.table(section: $0.section, range: $0.range) }
  }
}
