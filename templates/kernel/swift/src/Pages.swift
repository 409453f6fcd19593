// Pages and page tables under a hypervisor. Three kinds of number name a page:
//     pseudo-physical frame   0, 1, 2 ...: the domain's own memory, without holes
//     machine frame           where the page really is: what page tables and hypercalls want
//     virtual address         Pages.base + pseudo-physical frame * 4096, for all pages mapped here
// P2M (start_info.mfn_list) leads from the first to the second; M2P, which the hypervisor maps for
// everyone, leads back. The processor walks our tables as they are, so the hypervisor must know that
// they map nothing but our own frames: a table is mapped read-only, and one in use is changed by
// hypercall. Reading is free.

import CXenABI
import Machine

enum Pages {
  static let base: UInt64 = 0xffff_ffff_8000_0000
  static let size: UInt64 = 4096

  // Bits of an entry, as the processor has them. PV kernels run in ring 3: every page is a user page.
  private static let present: UInt64 = 1
  static let readable: UInt64 = 0x5
  static let writable: UInt64 = 0x7
  static let noExecute: UInt64 = 0x8000_0000_0000_0000
  private static let frameBits: UInt64 = 0x000f_ffff_ffff_f000
  private static let perTable: UInt64 = 512

  /// Never given out so far: from here up to where the mapping ends.
  private nonisolated(unsafe) static var next: UInt64 = 0
  private nonisolated(unsafe) static var mappedEnd: UInt64 = 0
  private nonisolated(unsafe) static var last: UInt64 = 0
  /// Pages that came back: each holds the address of the next.
  private nonisolated(unsafe) static var firstFree: UInt64 = 0

  /// Finds out which memory is free.
  static func begin() {
    let info = Domain.start.pointee
    // The loader's order: image, ramdisk, P2M, start_info, pages of xenstore and console, page
    // tables, stack. What is behind the stack, and mapped, is free.
    next = (UInt64(info.pt_base) - base) / size + UInt64(info.nr_pt_frames) + 1
    last = min(UInt64(info.nr_pages), perTable * perTable)
    mappedEnd = next
    while mappedEnd < last && isMapped(base + mappedEnd * size) { mappedEnd += 1 }
  }

  /// The address of a zeroed page; 0: there is none.
  static func take() -> UInt64 {
    var page = firstFree
    if page != 0 {
      firstFree = load64(page)
    } else {
      // The page that is left serves as the next table.
      if next + 1 >= mappedEnd { grow() }
      if next == mappedEnd { return 0 }
      page = base + next * size
      next += 1
    }
    for word in 0..<perTable { store64(page + word * 8, 0) }
    return page
  }

  /// Gives a page back.
  static func give(_ page: UInt64) {
    store64(page, firstFree)
    firstFree = page
  }

  /// Maps 2 MiB more of our own memory: one new table, filled while it is still an ordinary page.
  private static func grow() {
    let first = (mappedEnd + perTable - 1) / perTable * perTable
    if first >= last || next == mappedEnd { return }
    let table = base + next * size
    let end = min(first + perTable, last)
    for page in first..<first + perTable {
      store64(table + (page - first) * 8, page < end ? frame(page: page) * size | writable : 0)
    }
    if insert(table: table, level: 2, address: base + first * size) == 0 {
      next = first
      mappedEnd = end
    }
  }

  private static func frame(page: UInt64) -> UInt64 {
    load64(UInt64(Domain.start.pointee.mfn_list) + page * 8)
  }

  /// The machine frame of a page of ours.
  static func frame(address: UInt64) -> UInt64 {
    frame(page: (address - base) / size)
  }

  /// A page of ours by its machine frame.
  static func page(frame: UInt64) -> UInt64 {
    base + load64(UInt64(MACH2PHYS_VIRT_START) + frame * 8) * size
  }

  /// The machine frame that is mapped at an address; `nil`: none is.
  static func frame(mapped address: UInt64) -> UInt64? {
    let place = entry(address, level: 1)
    if place == 0 { return nil }
    let value = load64(place)
    return value & present == 0 ? nil : (value & frameBits) / size
  }

  /// Where the entry of a level (4 is the top) for an address stands; 0: a table above is missing.
  private static func entry(_ address: UInt64, level: UInt64) -> UInt64 {
    var table = UInt64(Domain.start.pointee.pt_base)
    var at: UInt64 = 4
    while true {
      let entry = table + (address >> (12 + 9 * (at - 1)) & 511) * 8
      if at == level { return entry }
      let value = load64(entry)
      if value & present == 0 { return 0 }
      table = page(frame: (value & frameBits) / size)
      at -= 1
    }
  }

  private static func isMapped(_ address: UInt64) -> Bool {
    let place = entry(address, level: 1)
    return place != 0 && load64(place) & present != 0
  }

  private static func write(entry: UInt64, _ value: UInt64) -> Int {
    let address = frame(address: entry) * size + entry % size
    var update = mmu_update(ptr: address | UInt64(MMU_NORMAL_PT_UPDATE), val: value)
    return HYPERVISOR_mmu_update(&update, 1, nil, UInt32(DOMID_SELF))
  }

  /// Makes a page a table, and the entry of `level` (2 to 4) for an address point to it.
  private static func insert(table: UInt64, level: UInt64, address: UInt64) -> Int {
    let value = frame(address: table) * size
    let error = HYPERVISOR_update_va_mapping(UInt(table), value | readable, UInt(UVMF_INVLPG))
    return error != 0 ? error : write(entry: entry(address, level: level), value | writable)
  }

  /// Maps a machine frame at a page-aligned address, making the tables that are missing.
  ///
  /// 0, or what the hypervisor refused it with.
  static func map(_ address: UInt64, frame: UInt64, _ flags: UInt64) -> Int {
    var level: UInt64 = 4
    while level > 1 {
      if load64(entry(address, level: level)) & present == 0 {
        let table = take()
        if table == 0 { return -Int(XEN_ENOMEM) }
        let error = insert(table: table, level: level, address: address)
        if error != 0 { return error }
      }
      level -= 1
    }
    return write(entry: entry(address, level: 1), frame * size | flags)
  }

  /// Takes the mapping away and flushes it from the TLB.
  static func unmap(_ address: UInt64) -> Int {
    HYPERVISOR_update_va_mapping(UInt(address), 0, UInt(UVMF_INVLPG))
  }
}
