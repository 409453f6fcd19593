// Hypercalls that say where and how a guest's kernel is entered: abi/traps.yaml.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Rows up to one with address 0; a null pointer clears the table.
  ///
  /// A guest could give a table without an end: 256 rows are one for each vector, and a longer
  /// one goes on only as long as it can be read, so the loop has a bound of its own.
  mutating func setTrapTable(_ arguments: HypercallArguments) -> HypercallResult {
    answer { () throws(HypercallError) in try readTrapTable(arguments) }
  }

  private mutating func readTrapTable(
    _ arguments: HypercallArguments
  ) throws(HypercallError) -> Int64 {
    guard arguments[0] != 0 else {
      traps.update(repeating: EntryPoint(), count: 256)
      return 0
    }
    var address = arguments.address(0)
    for _ in 0..<4096 {
      guard let row = GuestMemory.load(trap_info(), from: address) else { throw .fault }
      if row.address == 0 { return 0 }
      guard GuestVirtualAddress(UInt64(row.address)).isCanonical else { throw .invalid }
      traps[Int(row.vector)] = EntryPoint(
        address: UInt64(row.address), selector: row.cs | 3, flags: row.flags & 7)
      guard let next = address.advanced(by: UInt64(MemoryLayout<trap_info>.size)) else {
        throw .fault
      }
      address = next
    }
    throw .invalid
  }

  /// The selector does not count in 64-bit mode, where the stack segment is flat.
  mutating func stackSwitch(_ arguments: HypercallArguments) -> HypercallResult {
    kernelStack = arguments[1]
    return .value(0)
  }

  /// Addresses that are not canonical are ignored, as the ABI has it; entries that are set do not mask
  /// events, whatever was registered before.
  mutating func setCallbacks(_ arguments: HypercallArguments) -> HypercallResult {
    if arguments.address(0).isCanonical { eventEntry.address = arguments[0] }
    if arguments.address(1).isCanonical { failsafeEntry = EntryPoint(address: arguments[1]) }
    if arguments.address(2).isCanonical { syscallEntry = EntryPoint(address: arguments[2]) }
    return .value(0)
  }

  mutating func callbackOperation(_ arguments: HypercallArguments) -> HypercallResult {
    answer { () throws(HypercallError) in try changeCallback(arguments) }
  }

  private mutating func changeCallback(
    _ arguments: HypercallArguments
  ) throws(HypercallError) -> Int64 {
    switch arguments.command(0) {
    case CALLBACKOP_register:
      guard let request = GuestMemory.load(callback_register(), from: arguments.address(1))
      else { throw .fault }
      return try register(request)
    case CALLBACKOP_unregister:
      guard let request = GuestMemory.load(callback_unregister(), from: arguments.address(1))
      else { throw .fault }
      switch Int32(request.type) {
      case CALLBACKTYPE_nmi:
        traps[Int(Vector.nonMaskable)] = EntryPoint()
        return 0
      case CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
        CALLBACKTYPE_sysenter, CALLBACKTYPE_syscall32:
        throw .invalid
      default:
        throw .noSuchCall
      }
    default:
      throw .noSuchCall
    }
  }

  private mutating func register(_ request: callback_register) throws(HypercallError) -> Int64 {
    guard GuestVirtualAddress(UInt64(request.address)).isCanonical else { throw .invalid }
    let flags: UInt8 = request.flags & UInt16(CALLBACKF_mask_events) != 0 ? 4 : 0
    let entry = EntryPoint(address: UInt64(request.address), flags: flags)
    switch Int32(request.type) {
    case CALLBACKTYPE_event: eventEntry.address = entry.address
    case CALLBACKTYPE_failsafe: failsafeEntry = entry
    case CALLBACKTYPE_syscall: syscallEntry = entry
    case CALLBACKTYPE_syscall32: syscall32Entry = entry
    case CALLBACKTYPE_sysenter: sysenterEntry = entry
    case CALLBACKTYPE_nmi:
      traps[Int(Vector.nonMaskable)] = EntryPoint(address: entry.address, flags: 4)
    default: throw .noSuchCall
    }
    return 0
  }

  mutating func fpuTaskSwitch(_ arguments: HypercallArguments) -> HypercallResult {
    isTaskSwitched = arguments.word(0) != 0
    FloatingPoint.setTaskSwitched(isTaskSwitched)
    return .value(0)
  }

  /// The hypervisor's hole is no danger here: a base is used with ring 3's rights.
  mutating func setSegmentBase(_ arguments: HypercallArguments) -> HypercallResult {
    let base = arguments[1]
    let isCanonical = arguments.address(1).isCanonical
    switch arguments.command(0) {
    case SEGBASE_FS where isCanonical:
      fsBase = base
      xg_wrmsr(MSR.fsBase, base)
    case SEGBASE_GS_USER where isCanonical:
      gsBaseUser = base
      xg_wrmsr(MSR.kernelGSBase, base)
    case SEGBASE_GS_KERNEL where isCanonical:
      gsBaseKernel = base
      xg_wrmsr(MSR.gsBase, base)
    case SEGBASE_GS_USER_SEL:
      // Ring 3 in the selector: a descriptor of the hypervisor's is refused by the processor.
      let selector = UInt32(truncatingIfNeeded: base & 0xffff)
      xg_load_user_gs(selector & ~3 == 0 ? 0 : selector | 3)
      gsBaseUser = xg_rdmsr(MSR.kernelGSBase)
    default:
      return .error(.invalid)
    }
    return .value(0)
  }

  /// A `syscall` out of 32-bit code: a kernel without an entry for it sees what the instruction does
  /// on a processor that lacks it there.
  mutating func enterForSystemCall32(_ frame: FramePointer) {
    if syscall32Entry.address != 0 {
      enterKernel(at: syscall32Entry, frame)
    } else {
      frame.pointee.rip &-= 2
      deliver(Vector.invalidOpcode, frame, errorCode: nil)
    }
  }

  /// The iret hypercall: the whole state out of the guest's stack.
  ///
  /// A guest could return to any selector, any address and any flags. Ring 3 is forced on the
  /// selectors, interrupts stay on and the I/O privilege level 0; a frame that the processor
  /// refuses becomes a general protection fault of the guest (Traps.swift). Answers whether the
  /// guest lets rcx and r11 be lost, as in a return from a system call.
  @inline(__always)
  mutating func returnFromHandler(_ frame: FramePointer) -> Bool {
    let stack = GuestVirtualAddress(frame.pointee.rsp)
    guard stack.isGuestRange(byteCount: UInt64(MemoryLayout<iret_context>.size)) else {
      Self.refuseContext(frame)
    }
    // SAFETY: the range lies outside the hole, and xg_pull_frame survives its absence.
    let context = xg_pull_frame(frame, stack.value)
    guard context.failed == 0 else { Self.refuseContext(frame) }
    frame.pointee.cs = (context.cs & 0xffff) | 3
    frame.pointee.rflags =
      (context.rflags & 0x3f_7fd5 & ~(Flags.privilegeLevel | Flags.virtual8086))
      | Flags.interrupt | Flags.always
    frame.pointee.ss = (context.ss & 0xffff) | 3
    if context.cs & 3 == 3 {
      guard let table = core.pointee.userTable else { Self.refuseUserMode(frame) }
      enterMode(isKernel: false, table)
    }
    if hasArchitecturalIOPL { portAccess.level = UInt8(context.rflags >> 12 & 3) }
    if isNMIMasked { unmaskNMI() }
    upcallMask = context.rflags & Flags.interrupt != 0 ? 0 : 1
    return context.flags & UInt64(VGCF_in_syscall) != 0
  }

  // What ends a domain is kept out of functions that are short, and takes none of their registers.

  @inline(never)
  private static func refuseContext(_ frame: FramePointer) -> Never {
    current.pointee.crash("the iret hypercall's frame cannot be read", frame)
  }

  @inline(never)
  private static func refuseUserMode(_ frame: FramePointer) -> Never {
    current.pointee.crash("iret to user mode without a user page table", frame)
  }
}
