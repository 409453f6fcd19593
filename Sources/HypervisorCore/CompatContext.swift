// VCPUOP_initialise of a 32-bit guest: its vcpu_guest_context, in the form that 64-bit ones have; and
// the state of a saved one's vcpu, which has that form already.

import CRootstock
import CXenABI
import XenABI

extension Hypervisor {
  /// Reads a 32-bit guest's context: each word once, tables and descriptors into `tail`.
  ///
  /// Ring 1 is the lowest that selectors can have, and addresses cannot be other than canonical.
  func readCompatStart(
    _ place: GuestVirtualAddress, _ tail: inout ContextTail
  ) throws(HypercallError) -> VCPUStart {
    typealias Narrow = Xen.OffsetX86_32.vcpu_guest_context
    typealias Wide = Xen.OffsetX86_64.vcpu_guest_context
    typealias Registers = Xen.OffsetX86_32.cpu_user_regs
    func word(_ offset: Int, _ index: Int = 0) throws(HypercallError) -> UInt64 {
      UInt64(try readHalf(at: try element(UInt64(offset + index * 4), ofSize: 1, from: place)))
    }
    func register(_ offset: Int) throws(HypercallError) -> UInt64 {
      try word(Narrow.user_regs + offset)
    }
    func selector(_ offset: Int) throws(HypercallError) -> UInt16 {
      UInt16(truncatingIfNeeded: try register(offset))
    }
    let flags = try word(Narrow.flags)
    guard flags & UInt64(VGCF_in_kernel) != 0 else { throw .invalid }
    var registers = cpu_user_regs()
    registers.rbx = try register(Registers.ebx)
    registers.rcx = try register(Registers.ecx)
    registers.rdx = try register(Registers.edx)
    registers.rsi = try register(Registers.esi)
    registers.rdi = try register(Registers.edi)
    registers.rbp = try register(Registers.ebp)
    registers.rax = try register(Registers.eax)
    registers.rip = try register(Registers.eip)
    registers.rsp = try register(Registers.esp)
    let asked = try register(Registers.eflags)
    registers.rflags = asked & StartFlags.free | StartFlags.fixed
    registers.cs = Self.ring1(try selector(Registers.cs))
    registers.ss = Self.ring1(try selector(Registers.ss))
    registers.ds = try selector(Registers.ds)
    registers.es = try selector(Registers.es)
    registers.fs = try selector(Registers.fs)
    registers.gs = try selector(Registers.gs)
    tail[Wide.ldt_base] = try word(Narrow.ldt_base)
    tail[Wide.ldt_ents] = try word(Narrow.ldt_ents)
    for index in 0..<16 { tail[Wide.gdt_frames, index] = try word(Narrow.gdt_frames, index) }
    tail[Wide.gdt_ents] = try word(Narrow.gdt_ents)
    for index in 0..<8 {
      tail[Wide.ctrlreg, index] = try word(Narrow.ctrlreg, index)
      tail[Wide.debugreg, index] = try word(Narrow.debugreg, index)
    }
    let table = UInt32(truncatingIfNeeded: tail[Wide.ctrlreg, 3])
    tail[Wide.ctrlreg, 3] = Self.compatTable(table).address.value
    tail[Wide.ctrlreg, 1] = 0
    return VCPUStart(
      registers: registers, portLevel: UInt8(asked >> 12 & 3),
      kernelStackSelector: Self.ring1(UInt16(truncatingIfNeeded: try word(Narrow.kernel_ss))),
      kernelStack: GuestVirtualAddress(try word(Narrow.kernel_sp)),
      eventSelector: Self.ring1(
        UInt16(truncatingIfNeeded: try word(Narrow.event_callback_cs))),
      failsafeSelector: Self.ring1(
        UInt16(truncatingIfNeeded: try word(Narrow.failsafe_callback_cs))),
      eventCallback: GuestVirtualAddress(try word(Narrow.event_callback_eip)),
      failsafeCallback: GuestVirtualAddress(try word(Narrow.failsafe_callback_eip)),
      syscallCallback: GuestVirtualAddress(0),
      failsafeMasksEvents: flags & UInt64(VGCF_failsafe_disables_events) != 0,
      syscallMasksEvents: false, fsBase: 0, kernelGSBase: 0, userGSBase: 0,
      cr0: tail[Wide.ctrlreg], debugRegisters: debugRegisters(tail),
      hasFloatingPoint: flags & UInt64(VGCF_i387_valid) != 0)
  }

  /// Makes a 32-bit guest's what a saved vcpu has in the form of a 64-bit one.
  ///
  /// A bad file would have ring 0 in a selector, a table for user mode, or words above 4 GiB.
  func narrow(
    _ start: inout VCPUStart, _ saved: rootstock_saved_vcpu, _ tail: inout ContextTail
  ) {
    typealias Context = Xen.Offset.vcpu_guest_context
    func low(_ value: UInt64) -> UInt64 { value & 0xffff_ffff }
    func address(_ place: GuestVirtualAddress) -> GuestVirtualAddress {
      GuestVirtualAddress(low(place.value))
    }
    func selector(_ value: UInt32) -> UInt16 { Self.ring1(UInt16(truncatingIfNeeded: value)) }
    start.registers.rip = low(start.registers.rip)
    start.registers.rsp = low(start.registers.rsp)
    start.registers.cs = Self.ring1(start.registers.cs & ~3)
    start.registers.ss = Self.ring1(start.registers.ss & ~3)
    start.kernelStackSelector = selector(UInt32(tail[Context.kernel_ss] & 0xffff))
    start.kernelStack = address(start.kernelStack)
    start.eventSelector = selector(saved.event_selector)
    start.failsafeSelector = selector(saved.failsafe_selector)
    start.eventCallback = address(start.eventCallback)
    start.failsafeCallback = address(start.failsafeCallback)
    tail[Context.ldt_base] = low(tail[Context.ldt_base])
    tail[Context.ctrlreg, 1] = 0
  }

  /// A selector of ring 1 at least.
  public static func ring1(_ selector: UInt16) -> UInt16 {
    selector & 3 == 0 ? selector | 1 : selector
  }

  /// The table that a 32-bit guest's CR3 names: a frame number turned round, so that tables above 4 GiB
  /// can be named.
  public static func compatTable(_ value: UInt32) -> MachineFrame {
    MachineFrame(UInt64(value >> 12 | value << 20))
  }

  /// The same the other way.
  public static func compatBase(_ table: MachineFrame) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: table.number)
    return number << 12 | number >> 20
  }
}
