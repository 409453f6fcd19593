// The LDT: HypervisorCore keeps and checks its pages; each CPU has a window in the hole through which
// the processor reads those of the vcpu that runs. A page that is not there yet faults in the window.

import CMachine
import HypervisorCore

/// The window on the LDT of the vcpu that runs on each CPU.
enum LDTWindow {
  /// The window of CPU `index`.
  static func address(_ index: Int) -> UInt64 { UInt64(XG_LDT_BASE) + UInt64(index) << 16 }

  /// Whether an address is near the windows: one that is not lies in none.
  static func mayContain(_ address: UInt64) -> Bool {
    address &- UInt64(XG_LDT_BASE) < UInt64(256) << 16
  }

  /// Makes the page tables of a window, and nothing in it.
  static func make(_ index: Int) {
    _ = HypervisorPages.table(
      for: address(index), level: 1, bits: EntryBits.present | EntryBits.writable)
  }

  /// Shows a frame as page `page`, or nothing.
  ///
  /// Writable, because the processor sets accessed bits in descriptors.
  static func show(_ frame: MachineFrame?, at page: Int) {
    let cpu = xg_this_cpu()
    let place = address(Int(cpu.pointee.index)) + UInt64(page) << 12
    if let frame {
      HypervisorPages.map(place, to: frame, EntryBits.data)
      cpu.pointee.ldt_pages |= 1 << UInt64(page)
    } else {
      HypervisorPages.unmap(place)
      cpu.pointee.ldt_pages &= ~(1 << UInt64(page))
    }
  }

  /// Loads the register: a table of `count` entries, or none.
  static func load(count: UInt32) {
    let index = Int(xg_this_cpu().pointee.index)
    if count > 0 {
      let base = address(index)
      let place = PerCPU.gdtWindow(index) + UInt64(XG_LDT & ~7)
      // SAFETY: the page of the GDT that is the hypervisor's, mapped by PerCPU.make.
      let words = UnsafeMutablePointer<UInt64>(bitPattern: UInt(place)).unsafelyUnwrapped
      words[0] =
        UInt64(count * 8 - 1) & 0xffff | (base & 0xff_ffff) << 16 | 0x82 << 40
        | (base >> 24 & 0xff) << 56
      words[1] = base >> 32
    }
    xg_lldt(count > 0 ? UInt16(XG_LDT) : 0)
  }
}

extension GuestProcessor {
  /// Makes the window show what HypervisorCore holds for this vcpu: at its load, and after a change.
  ///
  /// A page that stayed in the window after it was given back could be written by the guest, with
  /// descriptors that nobody has checked.
  mutating func loadLocalTable() {
    let cpu = xg_this_cpu()
    let count = core.pointee.localTableCount
    core.pointee.isLocalTableStale = false
    if count == 0 && cpu.pointee.ldt_entries == 0 && cpu.pointee.ldt_pages == 0 { return }
    for page in 0..<16 {
      if core.pointee.localPages >> UInt16(page) & 1 != 0 {
        LDTWindow.show(core.pointee.localFrames[page], at: page)
      } else if cpu.pointee.ldt_pages >> UInt64(page) & 1 != 0 {
        LDTWindow.show(nil, at: page)
      }
    }
    LDTWindow.load(count: count)
    cpu.pointee.ldt_entries = UInt64(count)
  }

  /// Where in this CPU's window an address lies; `nil` outside.
  static func localTableOffset(_ address: UInt64) -> UInt64? {
    let window = LDTWindow.address(Int(xg_this_cpu().pointee.index))
    return address >= window && address < window + 0x10000 ? address - window : nil
  }

  /// Brings in the page whose entry the processor wanted; false where it cannot be had.
  mutating func fillLocalTable(at offset: UInt64) -> Bool {
    let page = Int(offset >> 12)
    for _ in 0..<4096 {
      do throws(MemoryError) {
        let frame = try withCore { () throws(MemoryError) in
          try Host.hypervisor.takeLocalPage(page, for: caller)
        }
        LDTWindow.show(frame, at: page)
        return true
      } catch {
        guard error == .preempted else { return false }
        drain()
      }
    }
    return false
  }

  /// mmuext_op, after which the window may be out of date.
  mutating func mmuExtendedOperation(_ arguments: inout HypercallArguments) -> HypercallResult {
    let caller = caller
    let result = withDomain(caller.domain) {
      Host.hypervisor.mmuExtendedOperation(&arguments, from: caller)
    }
    if core.pointee.isLocalTableStale { loadLocalTable() }
    return result
  }
}
