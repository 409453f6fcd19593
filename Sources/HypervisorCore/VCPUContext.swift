// VCPUOP_initialise: a vcpu's first state out of vcpu_guest_context, which is more than 5 KiB and is
// read in pieces, each once. The trap table, 4 KiB of it, is for the machine to read.

public import CXenABI
import XenABI

/// The state that a vcpu starts with, checked as far as it does not depend on the machine.
///
/// Its tables and descriptors are with the vcpu already.
public struct VCPUStart {
  /// Registers: ring 3, interrupts on, no I/O privilege.
  public var registers: cpu_user_regs
  /// The virtual I/O privilege, 0 to 3: IOPL in the flags that the guest gave.
  public var portLevel: UInt8
  /// Stack selector on entry from user mode.
  public var kernelStackSelector: UInt16
  /// Stack pointer on entry from user mode.
  public var kernelStack: GuestVirtualAddress
  /// Code selectors of events and failsafe; for 32-bit guests.
  public var eventSelector: UInt16 = 0
  /// Likewise.
  public var failsafeSelector: UInt16 = 0
  /// Entry for events.
  public var eventCallback: GuestVirtualAddress
  /// Entry after a fault on the way back to the guest.
  public var failsafeCallback: GuestVirtualAddress
  /// Entry for system calls.
  public var syscallCallback: GuestVirtualAddress
  /// The failsafe callback is entered with the upcall mask set.
  public var failsafeMasksEvents: Bool
  /// The syscall callback likewise.
  public var syscallMasksEvents: Bool
  /// The FS base.
  public var fsBase: UInt64
  /// The GS base of the kernel, where the vcpu starts.
  public var kernelGSBase: UInt64
  /// The GS base of user mode.
  public var userGSBase: UInt64
  /// CR0 as the guest asks for it; TS matters.
  public var cr0: UInt64
  /// Debug registers as the guest gave them: for the machine to check.
  public var debugRegisters: InlineArray<8, UInt64>
  /// `fpu_ctxt` is to be loaded; else the state is clean.
  public var hasFloatingPoint: Bool
}

/// Where a vcpu_guest_context is read.
public enum VCPUContextPlace {
  /// In the calling guest's memory.
  case guest(GuestVirtualAddress)
  /// In a boot module, in the form of a 64-bit guest.
  case image(SavedVCPU)
}

/// The words from ldt_base to the end.
struct ContextTail {
  var words = InlineArray<44, UInt64>(repeating: 0)

  static var start: Int { Xen.Offset.vcpu_guest_context.ldt_base }
  static var size: Int { MemoryLayout<vcpu_guest_context>.size - start }

  /// The word at an offset of the whole structure.
  subscript(_ offset: Int, _ index: Int = 0) -> UInt64 {
    get { words[(offset - Self.start) / 8 + index] }
    set { words[(offset - Self.start) / 8 + index] = newValue }
  }
}

/// Flags of %rflags.
enum StartFlags {
  /// What a guest may choose: the arithmetic flags, TF, DF, AC and ID.
  static var free: UInt64 { 0x24_0dd5 }
  /// What is always set: bit 1 and IF.
  ///
  /// The guest's own interrupt flag is its upcall mask.
  static var fixed: UInt64 { 0x202 }
}

extension Hypervisor {
  /// Gives a vcpu its first state.
  ///
  /// The vcpu is one that `vcpuOperation` has named with `initialise`. After `preempted` the same call
  /// is made again: what is validated by then stays with the vcpu, so that each turn gets further.
  /// `frame` finds frames by the numbers that the context has.
  public func initialise(
    _ vcpu: UnsafeMutablePointer<VCPU>, from place: VCPUContextPlace, of domain: DomainPointer,
    frame: (UInt64) -> MachineFrame? = { MachineFrame($0) }
  ) throws(MemoryError) -> VCPUStart {
    guard !vcpu.pointee.isInitialised, !domain.pointee.isDying else { throw .refused(.exists) }
    var start: VCPUStart
    var tail = ContextTail()
    do throws(HypercallError) {
      if domain.pointee.is32Bit, case .guest(let address) = place {
        start = try readCompatStart(address, &tail)
      } else {
        start = try readStart(place, &tail)
        if domain.pointee.is32Bit, case .image(let saved) = place {
          narrow(&start, saved.rest, &tail)
        }
      }
    } catch {
      throw .refused(error)
    }
    do throws(MemoryError) {
      try drain(domain)
      try adopt(tail, by: vcpu, of: domain, frame)
    } catch {
      if error != .preempted {
        dropTables(of: vcpu)
        do throws(MemoryError) { try drain(domain) } catch {}
      }
      throw error
    }
    vcpu.pointee.isInitialised = true
    return start
  }

  private func readStart(
    _ place: VCPUContextPlace, _ tail: inout ContextTail
  ) throws(HypercallError) -> VCPUStart {
    typealias Context = Xen.Offset.vcpu_guest_context
    var flags: UInt64 = 0
    try read(&flags, MemoryLayout<UInt64>.size, at: Context.flags, of: place)
    var registers = cpu_user_regs()
    try read(
      &registers, MemoryLayout<cpu_user_regs>.size,
      at: Context.user_regs, of: place)
    try read(&tail.words, ContextTail.size, at: ContextTail.start, of: place)

    // A vcpu that starts in user mode would have no kernel stack to fall back on.
    guard flags & UInt64(VGCF_in_kernel) != 0 else { throw .invalid }
    registers.cs |= 3
    registers.ss |= 3
    let portLevel = UInt8(registers.rflags >> 12 & 3)
    registers.rflags = registers.rflags & StartFlags.free | StartFlags.fixed
    let start = VCPUStart(
      registers: registers, portLevel: portLevel,
      kernelStackSelector: UInt16(
        truncatingIfNeeded: tail[Context.kernel_ss]) | 3,
      kernelStack: GuestVirtualAddress(tail[Context.kernel_sp]),
      eventCallback: GuestVirtualAddress(
        tail[Context.event_callback_eip]),
      failsafeCallback: GuestVirtualAddress(
        tail[Context.failsafe_callback_eip]),
      syscallCallback: GuestVirtualAddress(
        tail[Context.syscall_callback_eip]),
      failsafeMasksEvents: flags & UInt64(VGCF_failsafe_disables_events) != 0,
      syscallMasksEvents: flags & UInt64(VGCF_syscall_disables_events) != 0,
      fsBase: tail[Context.fs_base],
      kernelGSBase: tail[Context.gs_base_kernel],
      userGSBase: tail[Context.gs_base_user],
      cr0: tail[Context.ctrlreg],
      debugRegisters: debugRegisters(tail),
      hasFloatingPoint: flags & UInt64(VGCF_i387_valid) != 0)
    // Processors fault in ring 0 on a return or a base that is not canonical: none gets that far.
    let isCanonical =
      GuestVirtualAddress(registers.rip).isCanonical && start.eventCallback.isCanonical
      && start.failsafeCallback.isCanonical && start.syscallCallback.isCanonical
      && GuestVirtualAddress(start.fsBase).isCanonical
      && GuestVirtualAddress(start.kernelGSBase).isCanonical
      && GuestVirtualAddress(start.userGSBase).isCanonical
    guard isCanonical else { throw .invalid }
    return start
  }

  func debugRegisters(_ tail: ContextTail) -> InlineArray<8, UInt64> {
    var registers = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<8 {
      registers[index] = tail[Xen.Offset.vcpu_guest_context.debugreg, index]
    }
    return registers
  }

  /// Takes tables and descriptors; those that it holds from an earlier turn stay.
  private func adopt(
    _ tail: ContextTail, by vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer,
    _ frame: (UInt64) -> MachineFrame?
  ) throws(MemoryError) {
    func find(_ number: UInt64) throws(MemoryError) -> MachineFrame {
      guard let found = frame(number) else { throw .refused(.invalid) }
      return found
    }
    typealias Context = Xen.Offset.vcpu_guest_context
    let controls = Context.ctrlreg
    // In the form of CR3.
    try takeTop(
      find(MachineAddress(tail[controls, 3]).frame.number), &vcpu.pointee.kernelTable, of: domain)
    if let table = vcpu.pointee.kernelTable { completeKernelTable(table, of: vcpu) }
    let user = MachineAddress(tail[controls, 1]).frame
    if user.number != 0 {
      try takeTop(find(user.number), &vcpu.pointee.userTable, of: domain)
    } else if let old = vcpu.pointee.userTable {
      drop(old)
      vcpu.pointee.userTable = nil
    }
    let entries = tail[Context.gdt_ents]
    guard entries <= UInt64(DescriptorLimit.entries) else { throw .refused(.invalid) }
    let count = Int(entries + 511) / 512
    var frames = InlineArray<14, MachineFrame>(repeating: MachineFrame(0))
    for index in 0..<count {
      frames[index] = try find(tail[Context.gdt_frames, index])
    }
    try takeDescriptors(frames, count, entries: UInt32(entries), for: vcpu, of: domain)
    let localCount = tail[Context.ldt_ents]
    guard localCount <= 8192 else { throw .refused(.invalid) }
    try setLocalTable(
      at: GuestVirtualAddress(tail[Context.ldt_base]),
      count: UInt32(localCount), Caller(domain: domain, vcpu: vcpu))
  }

  private func takeTop(
    _ frame: MachineFrame, _ held: inout MachineFrame?, of domain: DomainPointer
  ) throws(MemoryError) {
    if held == frame { return }
    // The guest has changed its mind since the last turn.
    if let old = held { drop(old) }
    held = nil
    try take(frame, as: domain.pointee.topType, ownedBy: domain)
    held = frame
  }

  private func read(
    _ destination: UnsafeMutableRawPointer, _ byteCount: Int, at offset: Int,
    of place: VCPUContextPlace
  ) throws(HypercallError) {
    let base: GuestVirtualAddress
    switch place {
    case .guest(let address): base = address
    case .image(let saved):
      guard let part = saved.context.part(UInt64(offset), UInt64(byteCount)) else { throw .fault }
      // SAFETY: all callers give the size of what they point to.
      destination.copyMemory(from: part.base, byteCount: byteCount)
      return
    }
    let address = try element(UInt64(offset), ofSize: 1, from: base)
    guard address.isGuestRange(byteCount: UInt64(byteCount)) else { throw .fault }
    do throws(GuestMemoryFault) {
      // SAFETY: all callers give the size of what they point to.
      try machine.copyIn(destination, from: address, byteCount: byteCount)
    } catch { throw .fault }
  }
}
