// The first state of a further vcpu, out of vcpu_guest_context: HypervisorCore takes tables and
// registers, and here come the trap table and what else the machine holds.

import CMachine
import CXenABI
import HypervisorCore
import XenABI

extension GuestProcessor {
  /// Called for a vcpu that is down, by another of its domain.
  mutating func initialise(
    from address: GuestVirtualAddress
  ) throws(HypercallError) -> HypercallResult {
    let start: VCPUStart
    do throws(MemoryError) {
      start = try withCore { () throws(MemoryError) in
        try Host.hypervisor.initialise(core, from: .guest(address), of: domain)
      }
    } catch {
      switch error {
      case .preempted: return .again
      case .refused(let reason): throw reason
      }
    }
    take(start)
    if is32Bit { readCompatTraps(from: address) } else { readTraps(from: address) }
    if start.hasFloatingPoint { FloatingPoint.read(floatingPoint, from: address) }
    return .value(0)
  }

  /// Takes entries, bases and registers.
  mutating func take(_ start: VCPUStart) {
    isKernelMode = true
    portAccess.level = start.portLevel
    kernelStack = start.kernelStack.value
    kernelStackSelector = start.kernelStackSelector
    eventEntry.address = start.eventCallback.value
    failsafeEntry = EntryPoint(
      address: start.failsafeCallback.value, flags: start.failsafeMasksEvents ? 4 : 0)
    syscallEntry = EntryPoint(
      address: start.syscallCallback.value, flags: start.syscallMasksEvents ? 4 : 0)
    fsBase = start.fsBase
    gsBaseKernel = start.kernelGSBase
    gsBaseUser = start.userGSBase
    isTaskSwitched = start.cr0 & 8 != 0
    if is32Bit {
      eventEntry.selector = start.eventSelector
      failsafeEntry.selector = start.failsafeSelector
    }
    take(start.registers)
  }

  private mutating func take(_ registers: cpu_user_regs) {
    saved = xg_frame()
    saved.r15 = registers.r15
    saved.r14 = registers.r14
    saved.r13 = registers.r13
    saved.r12 = registers.r12
    saved.rbp = registers.rbp
    saved.rbx = registers.rbx
    saved.r11 = registers.r11
    saved.r10 = registers.r10
    saved.r9 = registers.r9
    saved.r8 = registers.r8
    saved.rax = registers.rax
    saved.rcx = registers.rcx
    saved.rdx = registers.rdx
    saved.rsi = registers.rsi
    saved.rdi = registers.rdi
    saved.rip = registers.rip
    saved.cs = UInt64(registers.cs)
    saved.rflags = registers.rflags
    saved.rsp = registers.rsp
    saved.ss = UInt64(registers.ss)
    segments = SegmentSelectors(
      ds: registers.ds, es: registers.es, fs: registers.fs, gs: registers.gs)
  }

  /// The rows of the trap table, by vector; one that cannot be read, or whose address is not
  /// canonical, stays empty.
  private func readTraps(from context: GuestVirtualAddress) {
    let offset = UInt64(Xen.Offset.vcpu_guest_context.trap_ctxt)
    for vector in 0..<UInt64(256) {
      guard
        let place = context.advanced(by: offset + vector * UInt64(MemoryLayout<trap_info>.size)),
        let row = GuestMemory.load(trap_info(), from: place)
      else { continue }
      take(row, Int(vector))
    }
  }

  /// The same of a 32-bit guest.
  private func readCompatTraps(from context: GuestVirtualAddress) {
    let table = UInt64(Xen.OffsetX86_32.vcpu_guest_context.trap_ctxt)
    for vector in 0..<UInt64(256) {
      guard let place = context.advanced(by: table + vector * 8),
        let row = GuestMemory.load64(from: place)
      else { continue }
      takeCompatTrap(row & ~0xff | vector)
    }
  }

  /// Likewise, out of a saved domain.
  func readTraps(from context: ImageBytes) {
    for vector in 0..<256 {
      let offset = Xen.Offset.vcpu_guest_context.trap_ctxt + vector * MemoryLayout<trap_info>.size
      var row = trap_info()
      withUnsafeMutableBytes(of: &row) { place in
        let part = context.part(UInt64(offset), UInt64(place.count))
        if let base = place.baseAddress { part?.copy(to: base) }
      }
      take(row, vector)
    }
  }

  private func take(_ row: trap_info, _ vector: Int) {
    if is32Bit {
      traps[vector] = Self.compatEntry(UInt64(row.cs), UInt64(row.address), flags: row.flags & 7)
      return
    }
    guard GuestVirtualAddress(UInt64(row.address)).isCanonical else { return }
    traps[vector] = EntryPoint(
      address: UInt64(row.address), selector: row.cs | 3, flags: row.flags & 7)
  }
}
