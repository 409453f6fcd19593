// The four shapes that an entry of `.altinstructions` has had. No version number stands in the
// table, so the shape whose entries make the most sense is taken.
//
//     all begin   s32 site   s32 replacement   u16 feature
//     linux12     u8 siteLength  u8 replacementLength                 Linux 3.3-4.0, 5.13-6.2
//     linux13     u8 siteLength  u8 replacementLength  u8 padding     Linux 4.1-5.12
//     linux14     u16 flags  u8 siteLength  u8 replacementLength      Linux 6.3 and later
//     xen14       u8 siteLength  u8 replacementLength  u8 padding  u8 private     Xen 4.11 and later

import KernelImage

/// A layout of `struct alt_instr`.
enum AlternativeLayout: CaseIterable, Sendable {
  case linux12
  case linux13
  case linux14
  case xen14

  /// Bytes of one entry.
  var stride: Int {
    switch self {
    case .linux12: 12
    case .linux13: 13
    case .linux14, .xen14: 14
    }
  }

  /// The entry at `offset`; `nil` where it does not make sense in this layout.
  func parse(_ table: PatchTable, at offset: Int) -> Alternative? {
    let bytes = table.bytes
    guard let word = bytes.load(offset + 8, as: UInt16.self),
      let third = bytes.load(offset + 10, as: UInt8.self),
      let fourth = bytes.load(offset + 11, as: UInt8.self)
    else { return nil }
    var feature = CPUFeature(number: word, isNegated: false)
    var siteLength = third
    var replacementLength = fourth
    switch self {
    case .linux12:
      // Bit 15 negates from 5.13 on; before, no feature number reached that far.
      feature = CPUFeature(number: word & 0x7fff, isNegated: word & 0x8000 != 0)
    case .linux13:
      guard let padding = bytes.load(offset + 12, as: UInt8.self), padding <= siteLength else {
        return nil
      }
    case .linux14:
      let flags = UInt16(third) | UInt16(fourth) << 8
      guard flags < 0x10, let site = bytes.load(offset + 12, as: UInt8.self),
        let replacement = bytes.load(offset + 13, as: UInt8.self)
      else { return nil }
      feature.isNegated = flags & 1 != 0
      siteLength = site
      replacementLength = replacement
    case .xen14:
      guard let padding = bytes.load(offset + 12, as: UInt8.self),
        let mark = bytes.load(offset + 13, as: UInt8.self), mark <= 1
      else { return nil }
      feature.numbering = .xen
      let (sum, overflow) = siteLength.addingReportingOverflow(padding)
      guard !overflow else { return nil }
      siteLength = sum
    }
    // A replacement longer than its site would overwrite what follows.
    guard siteLength > 0, replacementLength <= siteLength, feature.number < 64 * 32,
      let site = table.relative32(at: offset), table.isCode(site, length: Int(siteLength))
    else { return nil }
    var replacement: ImageAddress?
    if replacementLength > 0 {
      guard let place = table.relative32(at: offset + 4),
        table.isCode(place, length: Int(replacementLength))
      else { return nil }
      replacement = place
    }
    return Alternative(
      site: site, siteLength: siteLength, replacement: replacement,
      replacementLength: replacementLength, feature: feature)
  }

  /// The layout that explains the most of `table`; `nil` where none explains half of it.
  static func detect(_ table: PatchTable) -> AlternativeLayout? {
    var best: (layout: AlternativeLayout, share: Double)?
    for layout in allCases {
      let count = min(table.entries(stride: layout.stride), 512)
      guard count > 0 else { continue }
      let good = (0..<count).count { layout.parse(table, at: $0 * layout.stride) != nil }
      // A size that divides evenly breaks ties; a table of the wrong stride seldom scores at all.
      let even = table.bytes.count.isMultiple(of: layout.stride) ? 0.01 : 0
      let share = Double(good) / Double(count) + even
      if good * 2 >= count, share > best?.share ?? 0 { best = (layout, share) }
    }
    return best?.layout
  }
}
