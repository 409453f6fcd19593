// Builds the first domain out of a boot module: memory, image, P2M list, start_info, page tables,
// stack, and its vcpu.

import CMachine
import CXenABI
import HypervisorCore

/// A domain under construction.
struct DomainBuilder {
  let image: GuestImage
  let layout: InitialLayout
  let pageCount: UInt64
  // SAFETY: points to `pageCount` words of the hypervisor's own memory.
  /// The domain's frames by their numbers in its view.
  private let memory: UnsafeMutablePointer<UInt64>

  /// Takes the domain's memory and fills in what the image brings.
  ///
  /// `scratch` has room for as many words as the domain has pages.
  init(
    _ module: MemoryRange, ramdisk: MemoryRange?, pageCount: UInt64, for domain: DomainPointer,
    scratch: UnsafeMutablePointer<UInt64>
  ) throws(ImageError) {
    image = try GuestImage(module)
    let ramdiskSize = ramdisk.map { $0.end - $0.start } ?? 0
    layout = try InitialLayout(image, pageCount: pageCount, ramdiskSize: ramdiskSize)
    self.pageCount = pageCount
    memory = scratch
    domain.pointee.pageLimit = pageCount
    for page in 0..<Int(pageCount) {
      guard let frame = Host.hypervisor.allocate(for: domain) else { throw .tooLittleMemory }
      memory[page] = frame.number
    }
    copySegments()
    if let ramdisk { copy(from: ramdisk.start, count: ramdiskSize, to: layout.ramdisk.start) }
    writeHypercallPage()
  }

  /// The frame of a page of the domain.
  func frame(_ page: UInt64) -> MachineFrame { MachineFrame(memory[Int(page)]) }

  /// The memory at a pseudo-physical address, as far as its page reaches.
  private func pointer(_ place: UInt64) -> UnsafeMutableRawPointer {
    DirectMap.pointer(to: frame(place >> 12).address) + Int(place & 0xfff)
  }

  /// Copies machine memory to a pseudo-physical address, page by page.
  private func copy(from source: UInt64, count: UInt64, to place: UInt64) {
    var done: UInt64 = 0
    while done < count {
      let piece = min(count - done, 4096 - (place + done) & 0xfff)
      pointer(place + done).copyMemory(
        from: DirectMap.pointer(to: MachineAddress(source + done)), byteCount: Int(piece))
      done += piece
    }
  }

  /// What a segment has beyond its bytes in the file is zero already.
  private func copySegments() {
    for index in 0..<image.segmentCount {
      let segment = image.segments[index]
      copy(
        from: image.bytes.start.value + segment.offset, count: segment.fileSize,
        to: segment.address)
    }
  }

  /// 128 slots of 32 bytes: abi/hypercalls.yaml, hypercall-page.
  ///
  /// `push %rcx; push %r11; mov $n, %eax; syscall; pop %r11; pop %rcx; ret`. The slot of iret
  /// pushes rax as well, which completes iret_context, and does not return.
  private func writeHypercallPage() {
    guard let address = image.notes.hypercallPage else { return }
    let page = pointer(address - layout.virtualBase)
    for number in 0..<128 {
      let slot = page + number * 32
      slot.initializeMemory(as: UInt8.self, repeating: 0xcc, count: 32)
      slot.storeBytes(of: 0x5341_51, as: UInt32.self)
      var place = 3
      if number == Int(__HYPERVISOR_iret) {
        slot.storeBytes(of: 0x50, toByteOffset: 3, as: UInt8.self)
        place = 4
      }
      slot.storeBytes(of: 0xb8, toByteOffset: place, as: UInt8.self)
      slot.storeBytes(of: UInt32(number), toByteOffset: place + 1, as: UInt32.self)
      slot.storeBytes(of: 0x050f, toByteOffset: place + 5, as: UInt16.self)
      if number != Int(__HYPERVISOR_iret) {
        slot.storeBytes(of: 0xc359_5b41, toByteOffset: place + 7, as: UInt32.self)
      }
    }
  }

  /// Fills in the P2M list, and the M2P table the other way round.
  func writePhysicalList() {
    for page in 0..<pageCount {
      pointer(layout.physicalList.start + page * 8).storeBytes(
        of: frame(page).number, as: UInt64.self)
      Host.hypervisor.physicalFrames[frame(page)] = PseudoPhysicalFrame(page)
    }
  }

  /// Fills in start_info.
  func writeStartInfo(sharedInfo: MachineFrame, ramdiskSize: UInt64) {
    let place = pointer(layout.startInfo.start)
    let info = place.bindMemory(to: start_info.self, capacity: 1)
    let magic: StaticString = image.notes.hasPAE ? "xen-3.0-x86_64p" : "xen-3.0-x86_64"
    for index in 0..<magic.utf8CodeUnitCount {
      place.storeBytes(of: magic.utf8Start[index], toByteOffset: index, as: UInt8.self)
    }
    info.pointee.nr_pages = UInt(pageCount)
    info.pointee.shared_info = UInt(sharedInfo.address.value)
    info.pointee.flags = UInt32(SIF_PRIVILEGED | SIF_INITDOMAIN)
    info.pointee.pt_base = UInt(layout.address(of: layout.pageTables.start))
    info.pointee.nr_pt_frames = UInt(layout.pageTables.pages)
    info.pointee.mfn_list = UInt(layout.address(of: layout.physicalList.start))
    if ramdiskSize > 0 {
      info.pointee.mod_start = UInt(layout.address(of: layout.ramdisk.start))
      info.pointee.mod_len = UInt(ramdiskSize)
    }
    // SAFETY: cmd_line is the field of 1024 bytes in the page that was just filled in.
    withUnsafeMutableBytes(of: &info.pointee.cmd_line) { writeCommandLine($0) }
  }

  /// What stands behind ` -- ` in the hypervisor's command line is the guest's.
  private func writeCommandLine(_ place: UnsafeMutableRawBufferPointer) {
    guard var source = Host.boot.commandLine.value(of: "--") else { return }
    while Host.boot.commandLine[source] == 0x20 { source += 1 }
    var index = 0
    while index < place.count - 1, Host.boot.commandLine[source] != 0 {
      place[index] = Host.boot.commandLine[source]
      index += 1
      source += 1
    }
  }

  /// Builds the boot page tables over the region; the first is the top.
  func writePageTables() {
    var nextTable = layout.pageTables.firstPage + 1
    let top = DirectMap.words(of: frame(layout.pageTables.firstPage))
    let own = DirectMap.words(of: HypervisorPages.top)
    for slot in Int(XG_HOLE_FIRST_SLOT)..<Int(XG_HOLE_FIRST_SLOT + XG_HOLE_SLOTS) {
      top[slot] = own[slot]
    }
    let upper = EntryBits.present | EntryBits.writable | EntryBits.user | 0x60
    for page in 0..<layout.end >> 12 {
      let address = GuestVirtualAddress(layout.address(of: page << 12))
      var table = top
      for level in stride(from: 4, to: 1, by: -1) {
        let index = address.index(level: level)
        if table[index] == 0 {
          table[index] = frame(nextTable).address.value | upper
          nextTable += 1
        }
        table = DirectMap.words(of: MachineAddress(table[index] & EntryBits.frameMask).frame)
      }
      let isTable =
        page >= layout.pageTables.firstPage
        && page < layout.pageTables.firstPage + layout.pageTables.pages
      table[address.index(level: 1)] =
        frame(page).address.value | (isTable ? upper & ~EntryBits.writable : upper)
    }
  }
}
