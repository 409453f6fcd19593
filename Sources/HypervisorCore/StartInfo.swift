// The pages that the hypervisor writes for a new domain: start_info and the hypercall page.

/// Byte offsets of start_info on x86-64: abi/start-of-day.yaml.
private enum StartInfoOffset {
  static var pageCount: Int { 32 }
  static var sharedInfo: Int { 40 }
  static var flags: Int { 48 }
  static var storeFrame: Int { 56 }
  static var storePort: Int { 64 }
  static var consoleFrame: Int { 72 }
  static var consolePort: Int { 80 }
  static var tables: Int { 88 }
  static var tableCount: Int { 96 }
  static var list: Int { 104 }
  static var ramdisk: Int { 112 }
  static var ramdiskSize: Int { 120 }
  static var commandLine: Int { 128 }
  static var commandLineSize: Int { 1024 }
  static var firstListPage: Int { 1152 }
  static var listPageCount: Int { 1160 }
}

extension Hypervisor {
  /// Fills in start_info.
  func writeStartInfo(
    _ request: StartRequest, _ layout: StartLayout, _ memory: DomainMemory, _ notes: KernelNotes,
    shared: MachineFrame, _ domain: DomainPointer
  ) {
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
    set(StartInfoOffset.pageCount, request.pageCount)
    set(StartInfoOffset.sharedInfo, shared.address.value)
    var flags: UInt64 = domain.pointee.isPrivileged ? 1 : 0
    if request.isInitial { flags |= 2 }
    if let store = layout.storePage {
      set(StartInfoOffset.storeFrame, frame(ofPage: store, memory).number)
    }
    if let console = layout.consolePage {
      set(StartInfoOffset.consoleFrame, frame(ofPage: console, memory).number)
      set(StartInfoOffset.consolePort, UInt64(request.consolePort.rawValue))
    }
    set(StartInfoOffset.storePort, UInt64(request.storePort.rawValue))
    set(StartInfoOffset.tables, layout.address(ofPage: layout.tables.first))
    set(StartInfoOffset.tableCount, layout.tables.count)
    set(StartInfoOffset.list, layout.listVirtualAddress)
    if let ramdisk = request.ramdisk, ramdisk.count > 0 {
      let first = layout.ramdisk.first
      if notes.isRamdiskUnmapped { flags |= 8 }
      set(
        StartInfoOffset.ramdisk, notes.isRamdiskUnmapped ? first : layout.address(ofPage: first))
      set(StartInfoOffset.ramdiskSize, ramdisk.count)
    }
    set(StartInfoOffset.flags, flags)
    if layout.listAddress != nil {
      set(StartInfoOffset.firstListPage, layout.list.first)
      set(StartInfoOffset.listPageCount, layout.list.count + layout.listTables.count)
    }
    guard let line = request.commandLine else { return }
    for index in 0..<StartInfoOffset.commandLineSize - 1 {
      let byte = line[UInt64(index)]
      guard byte != 0 else { return }
      page.storeBytes(
        of: byte, toByteOffset: StartInfoOffset.commandLine + index, as: UInt8.self)
    }
  }

  /// Fills a page with the 128 slots of 32 bytes through which a guest makes hypercalls.
  ///
  /// A slot keeps rcx and r11, which `syscall` overwrites, loads the call's number and enters. That
  /// of iret (23) pushes rax as well, which completes its frame, and never returns; a breakpoint
  /// fills the rest.
  public func writeHypercallPage(to frame: MachineFrame) {
    let words = machine.words(of: frame)
    for number in 0..<UInt64(128) {
      let slot = words + Int(number) * 4
      slot[2] = 0xcccc_cccc_cccc_cccc
      slot[3] = slot[2]
      if number == 23 {
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
