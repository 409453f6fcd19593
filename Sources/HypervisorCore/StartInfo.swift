// The pages that the hypervisor writes for a new domain: start_info and the hypercall page.

import CXenABI
import XenABI

extension Hypervisor {
  /// Fills in start_info.
  func writeStartInfo(
    _ request: StartRequest, _ layout: StartLayout, _ memory: DomainMemory, _ notes: KernelNotes,
    shared: MachineFrame, _ domain: DomainPointer
  ) {
    let fields = StartInfoFields(
      machine.words(of: frame(ofPage: layout.startInfo, memory)), is32Bit: domain.pointee.is32Bit)
    // Xen marks kernels whose PAE_MODE note says yes, 64-bit ones too.
    let magic: StaticString =
      domain.pointee.is32Bit
      ? "xen-3.0-x86_32p" : notes.isPAE ? "xen-3.0-x86_64p" : "xen-3.0-x86_64"
    for index in 0..<magic.utf8CodeUnitCount {
      fields.set(byte: magic.utf8Start[index], at: index)
    }
    fields.set(fields.pageCount, request.pageCount)
    fields.set(fields.sharedInfo, shared.address.value)
    var flags: UInt32 = domain.pointee.isPrivileged ? UInt32(SIF_PRIVILEGED) : 0
    if request.isInitial { flags |= UInt32(SIF_INITDOMAIN) }
    if let store = layout.storePage {
      fields.set(fields.storeFrame, frame(ofPage: store, memory).number)
    }
    if let console = layout.consolePage {
      fields.set(fields.console, frame(ofPage: console, memory).number)
      fields.set(half: request.consolePort.rawValue, at: fields.consolePort)
    }
    fields.set(half: request.storePort.rawValue, at: fields.storePort)
    fields.set(fields.tableAddress, layout.address(ofPage: layout.tables.first))
    fields.set(fields.tableCount, layout.tables.count)
    fields.set(fields.list, layout.listVirtualAddress)
    if let ramdisk = request.ramdisk, ramdisk.count > 0 {
      let first = layout.ramdisk.first
      if notes.isRamdiskUnmapped { flags |= UInt32(SIF_MOD_START_PFN) }
      fields.set(
        fields.ramdisk, notes.isRamdiskUnmapped ? first : layout.address(ofPage: first))
      fields.set(fields.ramdiskSize, ramdisk.count)
    }
    fields.set(half: flags, at: fields.flags)
    if layout.listAddress != nil {
      fields.set(fields.listFrame, layout.list.first)
      fields.set(fields.listFrameCount, layout.list.count + layout.listTables.count)
    }
    guard let line = request.commandLine else { return }
    for index in 0..<Int(MAX_GUEST_CMDLINE) - 1 {
      let byte = line[UInt64(index)]
      guard byte != 0 else { return }
      fields.set(byte: byte, at: fields.commandLine + index)
    }
  }

  /// Fills a page with the 128 slots of 32 bytes through which a guest makes hypercalls.
  ///
  /// A slot keeps rcx and r11, which `syscall` overwrites, loads the call's number and enters. That
  /// of iret pushes rax as well, which completes its frame, and never returns; a breakpoint
  /// fills the rest.
  public func writeHypercallPage(to frame: MachineFrame, of domain: DomainPointer) {
    if domain.pointee.is32Bit { return writeCompatHypercallPage(to: frame) }
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

  /// The same for a 32-bit guest, whose way in is a software interrupt that changes no register.
  func writeCompatHypercallPage(to frame: MachineFrame) {
    let words = machine.words(of: frame)
    for number in 0..<UInt64(128) {
      let slot = words + Int(number) * 4
      for index in 1..<4 { slot[index] = 0xcccc_cccc_cccc_cccc }
      if number == UInt64(__HYPERVISOR_iret) {
        // push %eax; mov $23, %eax; int $0x82
        slot[0] = 0x82cd_0000_0017_b850
      } else {
        // mov $n, %eax; int $0x82; ret
        slot[0] = 0xc382_cd00_0000_00b8 | number << 8
      }
    }
  }
}
