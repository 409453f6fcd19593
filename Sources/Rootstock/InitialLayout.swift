// Where a new domain's parts lie in its initial region: abi/start-of-day.yaml, initial-layout.

import CXenABI
import HypervisorCore

/// A stretch of the region, as pseudo-physical addresses with page boundaries.
struct LayoutPart: BitwiseCopyable {
  var start: UInt64 = 0
  var end: UInt64 = 0

  var firstPage: UInt64 { start >> 12 }
  var pages: UInt64 { (end - start) >> 12 }
}

/// The initial region: addresses count from VIRT_BASE, which maps pseudo-physical 0.
struct InitialLayout {
  let virtualBase: UInt64
  let ramdisk: LayoutPart
  let physicalList: LayoutPart
  let startInfo: LayoutPart
  let pageTables: LayoutPart
  let stack: LayoutPart
  let end: UInt64

  private static let granule: UInt64 = 4 << 20
  private static let leastFree: UInt64 = 512 << 10

  /// Lays out a domain of `pageCount` frames, with `ramdiskSize` bytes of ramdisk.
  init(
    _ image: borrowing GuestImage, pageCount: UInt64, ramdiskSize: UInt64
  ) throws(ImageError) {
    func page(_ address: UInt64) -> UInt64 { (address + 0xfff) & ~0xfff }
    virtualBase = image.notes.virtualBase
    guard ramdiskSize < 1 << 40 else { throw .tooLittleMemory }
    let imageEnd = page(image.end)
    ramdisk = LayoutPart(start: imageEnd, end: page(imageEnd + ramdiskSize))
    physicalList = LayoutPart(start: ramdisk.end, end: page(ramdisk.end + pageCount * 8))
    startInfo = LayoutPart(start: physicalList.end, end: physicalList.end + 4096)
    var tableCount: UInt64 = 4
    while true {
      let tables = LayoutPart(start: startInfo.end, end: startInfo.end + tableCount * 4096)
      let stackEnd = tables.end + 4096
      var end = (stackEnd + Self.granule - 1) & ~(Self.granule - 1)
      if end - stackEnd < Self.leastFree { end += Self.granule }
      // The last address may be the last there is, so the end itself may be 0.
      let (last, overflow) = virtualBase.addingReportingOverflow(end - 1)
      guard !overflow, end >> 12 <= pageCount,
        GuestVirtualAddress(virtualBase).isGuestRange(byteCount: end)
      else { throw .tooLittleMemory }
      let needed = Self.tablesNeeded(from: virtualBase, through: last)
      if needed <= tableCount {
        pageTables = tables
        stack = LayoutPart(start: tables.end, end: stackEnd)
        self.end = end
        break
      }
      tableCount = needed
    }
    if let hypercalls = image.notes.hypercallPage {
      let (offset, underflow) = hypercalls.subtractingReportingOverflow(virtualBase)
      guard !underflow, offset <= end - 4096, hypercalls & 0xfff == 0 else {
        throw .hypercallPageOutside
      }
    }
  }

  /// One top table, and of each lower level as many as the region touches.
  static func tablesNeeded(from first: UInt64, through last: UInt64) -> UInt64 {
    var count: UInt64 = 1
    for level in UInt64(0)..<3 {
      let bits = 21 + 9 * level
      count += (last >> bits) - (first >> bits) + 1
    }
    return count
  }

  /// The virtual address of a place in the region.
  func address(of place: UInt64) -> UInt64 { virtualBase + place }
}
