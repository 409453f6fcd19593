// A CPU's block of data, stacks and entry code, and its descriptor tables. layout.h draws the
// block; xg_this_cpu() finds it from the stack pointer.

import CMachine
import HypervisorCore
import X86

/// Sets up what one CPU needs before it can take traps and run guests.
enum PerCPU {
  /// The block of CPU `index`.
  static func block(_ index: Int) -> UInt64 {
    UInt64(XG_PERCPU_BASE) + UInt64(index) * UInt64(XG_BLOCK_SIZE)
  }

  /// The window on the GDT of the vcpu that runs on CPU `index`.
  static func gdtWindow(_ index: Int) -> UInt64 { UInt64(XG_GDT_BASE) + UInt64(index) << 16 }

  /// Maps a block and its stacks, and fills in its data.
  static func make(_ index: Int, apicID: UInt32) {
    let base = block(index)
    for page in 0..<UInt64(XG_BLOCK_SIZE >> 12) {
      let offset = page << 12
      switch Int32(offset) {
      case 0, XG_BLOCK_NMI_STACK, XG_BLOCK_DF_STACK, XG_BLOCK_MC_STACK, XG_BLOCK_DB_STACK,
        XG_BLOCK_MAIN_STACK...:
        HypervisorPages.map(base + offset, to: Host.takeFrame(), EntryBits.data)
      case XG_BLOCK_STUB:
        let frame = Host.takeFrame()
        writeStubs(frame, at: base + offset, block: base)
        HypervisorPages.map(base + offset, to: frame, EntryBits.code)
      default:
        break
      }
    }
    let data = data(index)
    data.pointee.index = UInt64(index)
    data.pointee.apic_id = UInt64(apicID)
    data.pointee.deadline = .max
    data.pointee.slice_end = .max
    data.pointee.tss.rsp.0 = base + UInt64(XG_BLOCK_SIZE)
    data.pointee.tss.ist.0 = base + UInt64(XG_BLOCK_NMI_STACK) + 4096
    data.pointee.tss.ist.1 = base + UInt64(XG_BLOCK_DF_STACK) + 4096
    data.pointee.tss.ist.2 = base + UInt64(XG_BLOCK_MC_STACK) + 4096
    data.pointee.tss.ist.3 = base + UInt64(XG_BLOCK_DB_STACK) + 4096
    data.pointee.tss.io_map = UInt16(MemoryLayout<xg_tss>.size)
    makeGDT(index)
    LDTWindow.make(index)
  }

  /// The data of CPU `index`.
  static func data(_ index: Int) -> UnsafeMutablePointer<xg_percpu> {
    // SAFETY: `make` has mapped the page; the address is a constant that is not zero.
    UnsafeMutablePointer(bitPattern: UInt(block(index))).unsafelyUnwrapped
  }

  /// Writes the stubs of `syscall` from 64-bit and from 32-bit code.
  private static func writeStubs(_ frame: MachineFrame, at address: UInt64, block: UInt64) {
    let page = DirectMap.pointer(to: frame.address)
    writeStub(page, at: address, block: block, to: xg_address_syscall_entry())
    writeStub(page + 32, at: address + 32, block: block, to: xg_address_syscall32_entry())
  }

  /// One stub: `mov %rsp, saved(%rip); lea top(%rip), %rsp; jmp entry`.
  ///
  /// All three reach by 32 bits, because image and blocks lie within 2 GiB.
  private static func writeStub(
    _ memory: UnsafeMutableRawPointer, at address: UInt64, block: UInt64, to entry: UInt64
  ) {
    func distance(_ target: UInt64, from next: UInt64) -> Int32 {
      Int32(truncatingIfNeeded: target &- next)
    }
    memory.storeBytes(of: 0x48, as: UInt8.self)
    memory.storeBytes(of: 0x2589, toByteOffset: 1, as: UInt16.self)
    memory.storeBytes(
      of: distance(block + UInt64(XG_PERCPU_SYSCALL_RSP), from: address + 7),
      toByteOffset: 3, as: Int32.self)
    memory.storeBytes(of: 0x48, toByteOffset: 7, as: UInt8.self)
    memory.storeBytes(of: 0x258d, toByteOffset: 8, as: UInt16.self)
    memory.storeBytes(
      of: distance(block + UInt64(XG_BLOCK_SIZE), from: address + 14),
      toByteOffset: 10, as: Int32.self)
    memory.storeBytes(of: 0xe9, toByteOffset: 14, as: UInt8.self)
    memory.storeBytes(
      of: distance(entry, from: address + 19), toByteOffset: 15, as: Int32.self)
  }

  /// Fills the page of the GDT that the ABI reserves for the hypervisor, and maps empty pages
  /// where a guest's own descriptors will be.
  private static func makeGDT(_ index: Int) {
    let window = gdtWindow(index)
    if emptyDescriptors == nil { emptyDescriptors = Host.takeFrame() }
    mapDescriptors(index, count: 0) { _ in MachineFrame(0) }
    let frame = Host.takeFrame()
    let words = DirectMap.words(of: frame)
    let tss = block(index) + UInt64(XG_PERCPU_TSS)
    words[1] = 0x00af_9b00_0000_ffff  // e008: the hypervisor's code
    words[2] = 0x00cf_9300_0000_ffff  // e010: its stack
    words[4] = 0x00cf_fb00_0000_ffff  // e023: guests' 32-bit code
    words[5] = 0x00cf_f300_0000_ffff  // e02b: guests' data
    words[6] = 0x00af_fb00_0000_ffff  // e033: guests' 64-bit code
    words[8] =
      UInt64(MemoryLayout<xg_tss>.size - 1) | (tss & 0xff_ffff) << 16 | 0x89 << 40
      | (tss >> 24 & 0xff) << 56
    words[9] = tss >> 32
    HypervisorPages.map(window + 14 << 12, to: frame, EntryBits.data)
    let compatFrame = Host.takeFrame()
    let compatWords = DirectMap.words(of: compatFrame)
    for index in 0..<512 { compatWords[index] = words[index] }
    compatWords[3] = 0x00cf_bb00_0000_ffff  // e019: a 32-bit kernel's code
    compatWords[4] = 0x00cf_b300_0000_ffff  // e021: its data
    compatWords[5] = 0x00cf_fb00_0000_ffff  // e02b: its user mode's code
    compatWords[6] = 0x00cf_f300_0000_ffff  // e033: and data
    cutFlatSegments(compatWords)
    let data = data(index)
    data.pointee.reserved_frames.0 = frame.number
    data.pointee.reserved_frames.1 = compatFrame.number
  }

  /// Ends the flat segments of 32-bit guests behind the M2P table.
  ///
  /// Nothing is mapped there, so this is what the paper draws more than what protects.
  private static func cutFlatSegments(_ words: UnsafeMutablePointer<UInt64>) {
    let size = (Host.boot.endOfMemory >> 12 * 4 + 0x1f_ffff) & ~0x1f_ffff
    let end = min(Domain.defaultReservedStart + size, 1 << 32)
    for index in 3...6 {
      let flat = SegmentDescriptor(rawValue: words[index])
      words[index] = flat.checkedForCompatGuest(end: end)?.rawValue ?? 0
    }
  }

  // SAFETY: written once, before guests run.
  /// The page of null descriptors.
  nonisolated(unsafe) private static var emptyDescriptors: MachineFrame?

  /// Maps the frames of a vcpu's GDT into the window of CPU `index`, and null descriptors behind.
  ///
  /// `before` is how many of the pages were not empty.
  static func mapDescriptors(
    _ index: Int, count: Int, before: Int = 14, _ frame: (Int) -> MachineFrame
  ) {
    guard let empty = emptyDescriptors else { return }
    for page in 0..<max(count, before) {
      HypervisorPages.map(
        gdtWindow(index) + UInt64(page) << 12, to: page < count ? frame(page) : empty,
        page < count ? EntryBits.data : EntryBits.readOnlyData)
    }
  }

  /// Shows the reserved page of the GDT as guests of a width have it.
  ///
  /// What the hypervisor itself has loaded is the same in both.
  static func showReservedDescriptors(isCompat: Bool) {
    let cpu = xg_this_cpu()
    let wanted: UInt64 = isCompat ? 1 : 0
    guard cpu.pointee.is_compat != wanted else { return }
    cpu.pointee.is_compat = wanted
    let frames = cpu.pointee.reserved_frames
    HypervisorPages.map(
      gdtWindow(Int(cpu.pointee.index)) + 14 << 12,
      to: MachineFrame(isCompat ? frames.1 : frames.0), EntryBits.data)
  }

  /// Loads the tables and the registers of system calls on the CPU that calls.
  static func load(_ index: Int) {
    xg_lgdt(gdtWindow(index), UInt16(15 << 12 - 1))
    xg_load_segments()
    xg_ltr(UInt16(XG_TSS))
    xg_lldt(0)
    InterruptTable.load()
    let stub = block(index) + UInt64(XG_BLOCK_STUB)
    xg_wrmsr(MSR.star, UInt64(XG_GUEST_CS32) << 48 | UInt64(XG_CS) << 32)
    xg_wrmsr(MSR.lstar, stub)
    xg_wrmsr(MSR.cstar, stub + 32)
    // Every flag but the one that is always set: no interrupt, no single step, direction up.
    xg_wrmsr(MSR.syscallMask, 0x3f_fffd)
    xg_wrmsr(MSR.sysenterCS, UInt64(XG_CS))
    xg_wrmsr(MSR.sysenterStack, block(index) + UInt64(XG_BLOCK_SIZE))
    xg_wrmsr(MSR.sysenterEntry, xg_address_sysenter_entry())
    Features.enable()
  }
}

/// Numbers of model-specific registers.
enum MSR {
  static let apicBase: UInt32 = 0x1b
  static let pageAttributes: UInt32 = 0x277
  static let features: UInt32 = 0xc000_0080
  static let sysenterCS: UInt32 = 0x174
  static let sysenterStack: UInt32 = 0x175
  static let sysenterEntry: UInt32 = 0x176
  static let star: UInt32 = 0xc000_0081
  static let lstar: UInt32 = 0xc000_0082
  static let cstar: UInt32 = 0xc000_0083
  static let syscallMask: UInt32 = 0xc000_0084
  static let fsBase: UInt32 = 0xc000_0100
  static let gsBase: UInt32 = 0xc000_0101
  static let kernelGSBase: UInt32 = 0xc000_0102
}
