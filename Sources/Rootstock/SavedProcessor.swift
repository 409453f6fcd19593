// A vcpu's state on the way into a record and out of a saved domain: vcpu_guest_context of the ABI, its
// floating-point state, and what neither has (rootstock_saved.h).

import CMachine
import CRootstock
import CXenABI
import HypervisorCore
import XenABI

extension GuestProcessor {
  /// Writes the state into the record's four pages of a vcpu.
  ///
  /// It does not run, and is in its kernel. All pages are clear.
  func write(to record: DomainRecord, vcpu number: Int) {
    let first = number * Int(ROOTSTOCK_SAVED_VCPU_PAGES)
    let context = ContextPages(
      low: DirectMap.pointer(to: record[first].address),
      high: DirectMap.pointer(to: record[first + 1].address))
    writeRegisters(context)
    writeTables(context)
    writeEntries(context)
    DirectMap.pointer(to: record[first + 2].address)
      .copyMemory(from: floatingPoint, byteCount: Int(ROOTSTOCK_SAVED_PAGE))
    var rest = rootstock_saved_vcpu()
    rest.is_initialised = core.pointee.isInitialised ? 1 : 0
    rest.is_up = core.pointee.isUp ? 1 : 0
    rest.extended_components = extendedComponents
    rest.controls = controls
    rest.syscall32 = syscall32Entry.saved
    rest.sysenter = sysenterEntry.saved
    if is32Bit {
      rest.event_selector = UInt32(eventEntry.selector)
      rest.failsafe_selector = UInt32(failsafeEntry.selector)
    }
    DirectMap.pointer(to: record[first + 3].address)
      .storeBytes(of: rest, as: rootstock_saved_vcpu.self)
  }

  private typealias Context = Xen.Offset.vcpu_guest_context

  private func writeRegisters(_ context: ContextPages) {
    var registers = cpu_user_regs()
    registers.r15 = saved.r15
    registers.r14 = saved.r14
    registers.r13 = saved.r13
    registers.r12 = saved.r12
    registers.rbp = saved.rbp
    registers.rbx = saved.rbx
    registers.r11 = saved.r11
    registers.r10 = saved.r10
    registers.r9 = saved.r9
    registers.r8 = saved.r8
    registers.rax = saved.rax
    registers.rcx = saved.rcx
    registers.rdx = saved.rdx
    registers.rsi = saved.rsi
    registers.rdi = saved.rdi
    registers.rip = saved.rip
    registers.cs = UInt16(truncatingIfNeeded: saved.cs)
    registers.rflags = saved.rflags & ~(3 << 12) | UInt64(portAccess.level) << 12
    registers.rsp = saved.rsp
    registers.ss = UInt16(truncatingIfNeeded: saved.ss)
    registers.ds = segments.ds
    registers.es = segments.es
    registers.fs = segments.fs
    registers.gs = segments.gs
    context.put(registers, at: Context.user_regs)
    var flags = UInt64(VGCF_in_kernel) | UInt64(VGCF_i387_valid)
    if core.pointee.isUp { flags |= UInt64(VGCF_online) }
    if failsafeEntry.masksEvents { flags |= UInt64(VGCF_failsafe_disables_events) }
    if syscallEntry.masksEvents { flags |= UInt64(VGCF_syscall_disables_events) }
    context.put(flags, at: Context.flags)
    for index in 0..<4 {
      context.put(debug.addresses[index], at: Context.debugreg + index * 8)
    }
    context.put(debug.status, at: Context.debugreg + 6 * 8)
    context.put(debug.control, at: Context.debugreg + 7 * 8)
    context.put(fsBase, at: Context.fs_base)
    context.put(gsBaseKernel, at: Context.gs_base_kernel)
    context.put(gsBaseUser, at: Context.gs_base_user)
  }

  private func writeTables(_ context: ContextPages) {
    context.put(UInt64(isTaskSwitched ? 8 : 0), at: Context.ctrlreg)
    if let table = core.pointee.userTable {
      context.put(table.address.value, at: Context.ctrlreg + 8)
    }
    if let table = core.pointee.kernelTable {
      context.put(table.address.value, at: Context.ctrlreg + 3 * 8)
    }
    context.put(controls, at: Context.ctrlreg + 4 * 8)
    for index in 0..<core.pointee.descriptorFrameCount {
      context.put(
        core.pointee.descriptorFrames[index].number, at: Context.gdt_frames + index * 8)
    }
    context.put(UInt64(core.pointee.descriptorCount), at: Context.gdt_ents)
    context.put(core.pointee.localTableBase.value, at: Context.ldt_base)
    context.put(UInt64(core.pointee.localTableCount), at: Context.ldt_ents)
  }

  private func writeEntries(_ context: ContextPages) {
    for vector in 0..<256 {
      let entry = traps[vector]
      guard entry.address != 0 else { continue }
      var row = trap_info()
      row.vector = UInt8(vector)
      row.flags = entry.flags
      row.cs = entry.selector
      row.address = UInt(entry.address)
      context.put(row, at: Context.trap_ctxt + vector * MemoryLayout<trap_info>.size)
    }
    context.put(
      UInt64(is32Bit ? kernelStackSelector : UInt16(XG_GUEST_SS)), at: Context.kernel_ss)
    context.put(kernelStack, at: Context.kernel_sp)
    context.put(eventEntry.address, at: Context.event_callback_eip)
    context.put(failsafeEntry.address, at: Context.failsafe_callback_eip)
    context.put(syscallEntry.address, at: Context.syscall_callback_eip)
    context.put(assists, at: Context.vm_assist)
  }
}

extension GuestProcessor {
  /// Takes what a saved domain's vcpu has beside the context.
  ///
  /// A bad file would have components whose load faults in ring 0, or control bits that are not a
  /// guest's: only what a guest could set itself is taken.
  mutating func take(_ image: SavedVCPU) {
    image.floatingPoint.copy(to: floatingPoint)
    FloatingPoint.makeLoadable(floatingPoint)
    let rest = image.rest
    controls = rest.controls & Features.guestControls
    if FloatingPoint.isValid(rest.extended_components) {
      extendedComponents = rest.extended_components
    }
    syscall32Entry = entry(rest.syscall32)
    sysenterEntry = entry(rest.sysenter)
  }

  private func entry(_ saved: rootstock_saved_entry) -> EntryPoint {
    let flags = UInt8(truncatingIfNeeded: saved.flags >> 16) & 7
    if is32Bit { return Self.compatEntry(saved.flags & 0xffff, saved.address, flags: flags) }
    // An address that is not canonical becomes none.
    let isCanonical = GuestVirtualAddress(saved.address).isCanonical
    return EntryPoint(
      address: isCanonical ? saved.address : 0,
      selector: UInt16(truncatingIfNeeded: saved.flags) | 3, flags: flags)
  }
}

extension GuestProcessor {
  /// Takes debug registers as far as the guest could have written them.
  mutating func take(debugRegisters values: InlineArray<8, UInt64>) {
    for number in 0..<8 where number < 4 || number == 7 {
      do throws(DebugRegisterError) {
        try debug.write(number, values[number], hasExtensions: controls & 1 << 3 != 0)
      } catch { continue }
    }
  }
}

extension EntryPoint {
  /// In a saved vcpu.
  fileprivate var saved: rootstock_saved_entry {
    rootstock_saved_entry(address: address, flags: UInt64(selector) | UInt64(flags) << 16)
  }
}

/// A vcpu_guest_context in two pages, of which no member lies in both.
private struct ContextPages {
  // SAFETY: frames of a record, the hypervisor's own until the record is dropped.
  let low: UnsafeMutableRawPointer
  let high: UnsafeMutableRawPointer

  func put<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    let page = Int(XEN_PAGE_SIZE)
    if offset < page {
      low.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    } else {
      high.storeBytes(of: value, toByteOffset: offset - page, as: Value.self)
    }
  }
}
