// `__ex_table`: where a fault is expected, and where to go on after it.
//
//     12 bytes    s32 instruction  s32 fixup  s32 kind        Linux 5.16 and later
//     12 bytes    s32 instruction  s32 fixup  s32 handler     Linux 4.6-5.15
//     8 bytes     s32 instruction  s32 fixup                  Linux before 4.6, Xen
//
// Read with the wrong stride every field still leads to code, so the third word has to decide: a kind
// is a small number, and a table has few handlers.

import KernelImage

extension CodeSites {
  /// The instructions of an exception table.
  ///
  /// A site is the first byte of the instruction that may fault.
  static func exceptions(_ table: PatchTable) -> CodeSites {
    let stride = hasThirdWord(table) ? 12 : 8
    return CodeSites(table: table, stride: stride) { offset in
      guard let place = table.relative32(at: offset), table.isCode(place, length: 1),
        let fixup = table.relative32(at: offset + 4), table.isCode(fixup, length: 1)
      else { return nil }
      return (place, 1)
    }
  }

  private static func hasThirdWord(_ table: PatchTable) -> Bool {
    let count = table.entries(stride: 12)
    guard count > 0 else { return false }
    var good = 0
    var targets: Set<ImageAddress> = []
    var inCode = 0
    for index in 0..<count {
      let offset = index * 12
      guard let place = table.relative32(at: offset), table.isCode(place, length: 1),
        let fixup = table.relative32(at: offset + 4), table.isCode(fixup, length: 1)
      else { continue }
      good += 1
      if let third = table.relative32(at: offset + 8), table.isCode(third, length: 1) {
        inCode += 1
        targets.insert(third)
      }
    }
    // Few good entries, or a third word that is code and mostly a new place each time: 8 bytes.
    guard good * 2 > count else { return false }
    let isEven = table.bytes.count.isMultiple(of: 8)
    return !isEven || inCode * 2 <= good || targets.count * 2 <= inCode
  }
}
