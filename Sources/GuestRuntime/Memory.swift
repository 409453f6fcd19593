// The domain's own frames: where each page is in the machine, and the map of all of them from
// XG_GUEST_BASE on.
//
//     40000000  pseudo-physical 0
//     40100000  image, P2M list, start_info, boot page tables, stack: mapped by the loader
//               page tables of the rest | heap ...
//     8000000000  window on frames of others and on devices (Window.swift)

public import CGuest
internal import CXenABI
internal import XenABI

/// Pages and their frames.
public enum Memory {
  /// Bytes of a page.
  public static var pageSize: Int { 4096 }

  // SAFETY: written once by `start`; the list is the domain's own memory of `pageCount` words.
  nonisolated(unsafe) private static var list = UnsafeMutablePointer<UInt64>(
    bitPattern: 8
  ).unsafelyUnwrapped
  nonisolated(unsafe) private static var pageCount: UInt64 = 0
  /// The next page for a table while there is no heap; 0 afterwards.
  nonisolated(unsafe) private static var nextPage: UInt64 = 0
  static var base: UInt64 { UInt64(XG_GUEST_BASE) }

  /// The address of a page of ours.
  static func address(ofPage page: UInt64) -> UInt64 { base + page << 12 }

  /// The frame of a page of ours.
  static func frame(ofPage page: UInt64) -> UInt64 { list[Int(page)] }

  /// The page of ours that a frame is.
  static func page(ofFrame frame: UInt64) -> UInt64 {
    // SAFETY: the hypervisor maps the M2P table there, for every frame of RAM.
    UnsafePointer<UInt64>(bitPattern: UInt(MACH2PHYS_VIRT_START)).unsafelyUnwrapped[Int(frame)]
  }

  /// Where memory of the heap or the image is in the machine; runs go on only to the page's end.
  public static func machineAddress(of pointer: UnsafeRawPointer) -> UInt64 {
    let offset = UInt64(UInt(bitPattern: pointer)) - base
    return frame(ofPage: offset >> 12) << 12 | offset & 0xfff
  }

  /// Maps what the loader has not, and starts the heap.
  static func start() -> Bool {
    pageCount = Guest.field(Xen.Offset.start_info.nr_pages)
    guard
      let words = UnsafeMutablePointer<UInt64>(
        bitPattern: UInt(Guest.field(Xen.Offset.start_info.mfn_list)))
    else { return false }
    list = words
    PageTables.start(top: Guest.field(Xen.Offset.start_info.pt_base))
    // Behind the tables is the loader's stack; the rest of what it mapped is free.
    let tables = Guest.field(Xen.Offset.start_info.pt_base) - base
    nextPage = tables >> 12 + Guest.field(Xen.Offset.start_info.nr_pt_frames) + 1
    var page = nextPage
    while page < pageCount, PageTables.isMapped(address(ofPage: page)) { page += 1 }
    while page < pageCount {
      let end = min((page | 511) + 1, pageCount)
      guard PageTables.mapOwn(page, through: end) else { return false }
      page = end
    }
    guest_heap_start(address(ofPage: nextPage), pageCount - nextPage)
    nextPage = 0
    return true
  }

  /// A cleared page for a page table.
  static func takeTable() -> UnsafeMutablePointer<UInt64>? {
    let place: UInt
    if nextPage != 0 {
      place = UInt(address(ofPage: nextPage))
      nextPage += 1
    } else {
      guard let page = guest_take_pages(1) else { return nil }
      place = UInt(bitPattern: page)
    }
    guard let words = UnsafeMutablePointer<UInt64>(bitPattern: place) else { return nil }
    words.initialize(repeating: 0, count: 512)
    return words
  }

  /// Cleared pages at consecutive addresses, and where asked for in consecutive frames.
  ///
  /// `nil` where there is no memory, or the hypervisor has no such frames to give.
  public static func takePages(
    _ count: Int, isContiguous: Bool = false
  ) -> UnsafeMutableRawPointer? {
    guard count > 1, isContiguous else {
      guard let pages = guest_take_pages(count) else { return nil }
      pages.initializeMemory(as: UInt8.self, repeating: 0, count: count * pageSize)
      return pages
    }
    var order = 0
    while 1 << order < count { order += 1 }
    guard let pages = guest_take_pages(1 << order), exchange(pages, order: order) else {
      return nil
    }
    pages.initializeMemory(as: UInt8.self, repeating: 0, count: pageSize << order)
    return pages
  }

  /// Gives the frames of pages back for as many that lie one behind another.
  private static func exchange(_ pages: UnsafeMutableRawPointer, order: Int) -> Bool {
    let first = (UInt64(UInt(bitPattern: pages)) - base) >> 12
    let count = 1 << order
    var given = [UInt64](repeating: 0, count: count)
    for index in 0..<count {
      given[index] = frame(ofPage: first + UInt64(index))
      // A frame that is mapped is in use and cannot be given.
      guard PageTables.set(address(ofPage: first + UInt64(index)), to: 0) else { return false }
    }
    var wanted = UInt(first)
    let isDone = given.withUnsafeMutableBytes { list in
      withUnsafeMutablePointer(to: &wanted) { wanted in
        var request = xen_memory_exchange()
        // SAFETY: a frame number has the width of UInt64 and UInt alike.
        request.in.extent_start = list.baseAddress?.assumingMemoryBound(to: UInt.self)
        request.in.nr_extents = UInt(count)
        request.in.domid = UInt16(DOMID_SELF)
        request.out.extent_start = wanted
        request.out.nr_extents = 1
        request.out.extent_order = UInt32(order)
        request.out.domid = UInt16(DOMID_SELF)
        return HYPERVISOR_memory_op(UInt32(XENMEM_exchange), &request) == 0
      }
    }
    for index in 0..<count {
      let page = first + UInt64(index)
      if isDone { list[Int(page)] = UInt64(wanted) + UInt64(index) }
      guard
        PageTables.set(address(ofPage: page), to: frame(ofPage: page) << 12 | PageTables.writable)
      else { return false }
    }
    return isDone
  }
}
