// The pages that the hypervisor writes for a new domain: start_info and the hypercall page.

import CXenABI
import XenABI

extension Hypervisor {
  /// Fills in start_info.
  func writeStartInfo(
    _ request: StartRequest, _ layout: StartLayout, _ memory: DomainMemory, _ notes: KernelNotes,
    shared: MachineFrame, _ domain: DomainPointer
  ) {
    typealias Field = Xen.Offset.start_info
    let page = UnsafeMutableRawPointer(
      machine.words(of: frame(ofPage: layout.startInfo, memory)))
    // SAFETY: all offsets are constants below 1168, in a frame of 4096 bytes.
    func set(_ offset: Int, _ value: UInt64) {
      page.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }
    // Xen marks kernels whose PAE_MODE note says yes, 64-bit ones too.
    let magic: StaticString = notes.isPAE ? "xen-3.0-x86_64p" : "xen-3.0-x86_64"
    for index in 0..<magic.utf8CodeUnitCount {
      page.storeBytes(of: magic.utf8Start[index], toByteOffset: index, as: UInt8.self)
    }
    set(Field.nr_pages, request.pageCount)
    set(Field.shared_info, shared.address.value)
    var flags: UInt64 = domain.pointee.isPrivileged ? UInt64(SIF_PRIVILEGED) : 0
    if request.isInitial { flags |= UInt64(SIF_INITDOMAIN) }
    if let store = layout.storePage {
      set(Field.store_mfn, frame(ofPage: store, memory).number)
    }
    if let console = layout.consolePage {
      set(Field.console, frame(ofPage: console, memory).number)
      set(Field.console + MemoryLayout<xen_pfn_t>.size, UInt64(request.consolePort.rawValue))
    }
    set(Field.store_evtchn, UInt64(request.storePort.rawValue))
    set(Field.pt_base, layout.address(ofPage: layout.tables.first))
    set(Field.nr_pt_frames, layout.tables.count)
    set(Field.mfn_list, layout.listVirtualAddress)
    if let ramdisk = request.ramdisk, ramdisk.count > 0 {
      let first = layout.ramdisk.first
      if notes.isRamdiskUnmapped { flags |= UInt64(SIF_MOD_START_PFN) }
      set(
        Field.mod_start, notes.isRamdiskUnmapped ? first : layout.address(ofPage: first))
      set(Field.mod_len, ramdisk.count)
    }
    set(Field.flags, flags)
    if layout.listAddress != nil {
      set(Field.first_p2m_pfn, layout.list.first)
      set(Field.nr_p2m_frames, layout.list.count + layout.listTables.count)
    }
    guard let line = request.commandLine else { return }
    for index in 0..<Int(MAX_GUEST_CMDLINE) - 1 {
      let byte = line[UInt64(index)]
      guard byte != 0 else { return }
      page.storeBytes(
        of: byte, toByteOffset: Field.cmd_line + index, as: UInt8.self)
    }
  }

  /// Fills a page with the 128 slots of 32 bytes through which a guest makes hypercalls.
  ///
  /// A slot keeps rcx and r11, which `syscall` overwrites, loads the call's number and enters. That
  /// of iret pushes rax as well, which completes its frame, and never returns; a breakpoint
  /// fills the rest.
  public func writeHypercallPage(to frame: MachineFrame) {
    let words = machine.words(of: frame)
    for number in 0..<UInt64(128) {
      let slot = words + Int(number) * 4
      slot[2] = 0xcccc_cccc_cccc_cccc
      slot[3] = slot[2]
      if number == UInt64(__HYPERVISOR_iret) {
        // push %rcx; push %r11; push %rax; mov $23, %eax; syscall
        slot[0] = 0x0000_17b8_5053_4151
        slot[1] = 0xcccc_cccc_cc05_0f00
      } else {
        // push %rcx; push %r11; mov $n, %eax; syscall; pop %r11; pop %rcx; ret
        slot[0] = 0xb853_4151 | number << 32
        slot[1] = 0xcccc_c359_5b41_050f
      }
    }
  }
}
