// Where a new domain's parts lie: abi/start-of-day.yaml, initial-layout. Pure arithmetic.
//
//     VIRT_BASE   image | ramdisk | P2M list | start_info | xenstore, console (not domain 0)
//                 | page tables | stack | 512 KB or more free, up to a multiple of 4 MB
//     then, not mapped in the region: the ramdisk with MOD_START_PFN, the P2M list with INIT_P2M

/// A run of the domain's pages.
struct PageRun {
  var first: UInt64 = 0
  var count: UInt64 = 0
  var end: UInt64 { first + count }
}

/// The pages of a domain at its start, as numbers from pseudo-physical frame 0.
public struct StartLayout {
  let virtualBase: UInt64
  private let is32Bit: Bool
  /// The first address above that is not the guest's.
  private let addressLimit: UInt64
  private(set) var ramdisk = PageRun()
  private(set) var list = PageRun()
  private(set) var startInfo: UInt64 = 0
  private(set) var storePage: UInt64?
  private(set) var consolePage: UInt64?
  private(set) var tables = PageRun()
  private(set) var stack: UInt64 = 0
  /// Pages that the region maps.
  private(set) var mappedCount: UInt64 = 0
  /// Tables that map the list at INIT_P2M, behind the list itself.
  private(set) var listTables = PageRun()
  let listAddress: UInt64?

  /// Lays a domain of `pageCount` frames out.
  ///
  /// `isInitial`: it is domain 0.
  init(
    _ kernel: borrowing GuestKernel, pageCount: UInt64, ramdiskSize: UInt64, isInitial: Bool
  ) throws(ImageError) {
    guard ramdiskSize < 1 << 40, pageCount < 1 << 28 else { throw .tooLittleMemory }
    virtualBase = kernel.virtualBase
    is32Bit = kernel.is32Bit
    addressLimit = kernel.is32Bit ? kernel.reservedStart : .max
    listAddress = kernel.is32Bit ? nil : kernel.notes.listAddress
    let listCount = (pageCount * (kernel.is32Bit ? 4 : 8) + 0xfff) >> 12
    let ramdiskCount = (ramdiskSize + 0xfff) >> 12
    let isRamdiskMapped = !kernel.notes.isRamdiskUnmapped || ramdiskCount == 0
    var next = (kernel.end + 0xfff) >> 12
    func run(_ count: UInt64) -> PageRun {
      defer { next += count }
      return PageRun(first: next, count: count)
    }
    if isRamdiskMapped { ramdisk = run(ramdiskCount) }
    if listAddress == nil { list = run(listCount) }
    startInfo = run(1).first
    if !isInitial {
      storePage = run(1).first
      consolePage = run(1).first
    }
    try placeTables(from: next, pageCount)
    next = mappedCount
    if !isRamdiskMapped { ramdisk = run(ramdiskCount) }
    if let listAddress {
      list = run(listCount)
      let last = listAddress.addingReportingOverflow(listCount << 12 - 1)
      guard !last.overflow,
        GuestVirtualAddress(listAddress).isGuestRange(byteCount: listCount << 12)
      else { throw .badListAddress }
      listTables = run(Self.tableCount(from: listAddress, through: last.partialValue))
    }
    guard next <= pageCount else { throw .tooLittleMemory }
    if let page = kernel.notes.hypercallPage {
      let (offset, underflow) = page.subtractingReportingOverflow(virtualBase)
      guard !underflow, page & 0xfff == 0, offset >> 12 < mappedCount else {
        throw .hypercallPageOutside
      }
    }
  }

  /// The tables map the region that they lie in, so their number follows from itself; it grows with
  /// every turn and soon settles.
  private mutating func placeTables(from first: UInt64, _ pageCount: UInt64) throws(ImageError) {
    var count: UInt64 = 4
    while true {
      let stackPage = first + count
      // The stack, 512 KB, and on to a multiple of 4 MB of virtual memory.
      let used = virtualBase.addingReportingOverflow((stackPage + 1 + 128) << 12)
      let end = ((used.partialValue &- 1) | 0x3f_ffff)
      guard !used.overflow, end >= virtualBase else { throw .regionInHole }
      let mapped = (end - virtualBase) >> 12 + 1
      guard GuestVirtualAddress(virtualBase).isGuestRange(byteCount: mapped << 12),
        end < addressLimit
      else { throw .regionInHole }
      guard mapped <= pageCount else { throw .tooLittleMemory }
      let needed =
        is32Bit
        ? 1 + UInt64(CompatTable.topCount) + (end >> 21 - virtualBase >> 21 + 1)
        : 1 + Self.tableCount(from: virtualBase, through: end)
      if needed <= count {
        tables = PageRun(first: first, count: needed)
        stack = first + needed
        mappedCount = mapped
        return
      }
      count = needed
    }
  }

  /// How many tables of levels 3 to 1 a range of addresses touches.
  static func tableCount(from first: UInt64, through last: UInt64) -> UInt64 {
    (last >> 21 - first >> 21 + 1) + (last >> 30 - first >> 30 + 1) + (last >> 39 - first >> 39 + 1)
  }

  /// The virtual address of a page of the region.
  func address(ofPage page: UInt64) -> UInt64 { virtualBase + page << 12 }

  /// Where the P2M list is mapped.
  var listVirtualAddress: UInt64 { listAddress ?? address(ofPage: list.first) }
}
