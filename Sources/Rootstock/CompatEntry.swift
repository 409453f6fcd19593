// Entering a 32-bit kernel in ring 1, and its way back: frames of 32-bit words, as abi/traps.yaml has
// them. Which ring a guest was in stands in its code selector, because a 32-bit kernel goes to user mode
// by an iret of its own, too.
//
//     %esp -> [error code], eip, cs and saved upcall mask, eflags, and from user mode esp, ss

import CMachine
import CXenABI
import HypervisorCore
import X86
import XenABI

/// A trap or interrupt out of a 32-bit guest.
@inline(never)
func compatTrap(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  vcpu.pointee.noteCompatMode(frame)
  let vector = frame.pointee.vector
  switch vector {
  case UInt32(XG_VECTOR_HYPERCALL): vcpu.pointee.compatHypercall(frame)
  case Vector.systemCall where vcpu.pointee.enterBySystemCallGate(frame): break
  case Vector.systemCall: vcpu.pointee.handleSystemCallGate(frame)
  case Vector.pageFault where vcpu.pointee.deliverPlainCompatPageFault(frame): break
  case Vector.invalidOpcode
  where vcpu.pointee.emulateForced(frame, at: vcpu.pointee.compatCodeAddress(frame)):
    break
  case 0..<32: vcpu.pointee.handleException(frame)
  default: interrupt(vector)
  }
  return leave(vcpu, frame, by: WayBack.full)
}

extension GuestProcessor {
  /// Takes the mode out of the code selector: ring 1 is the kernel.
  mutating func noteCompatMode(_ frame: FramePointer) { isKernelMode = frame.pointee.cs & 3 == 1 }

  /// `syscall` leaves no selectors: what comes from there is user mode with the flat ones.
  mutating func noteCompatSystemCall(_ frame: FramePointer) {
    isKernelMode = false
    frame.pointee.cs = UInt64(XG_COMPAT_USER_CS)
    frame.pointee.ss = UInt64(XG_COMPAT_USER_DS)
  }

  /// The state that the first vcpu starts with, beyond what all have.
  mutating func startCompat() {
    saved.cs = UInt64(XG_COMPAT_KERNEL_CS)
    saved.ss = UInt64(XG_COMPAT_KERNEL_DS)
    let data = UInt16(XG_COMPAT_KERNEL_DS)
    segments = SegmentSelectors(ds: data, es: data, fs: data, gs: data)
  }

  /// The address of a page fault, in the guest's vcpu_info.
  mutating func setCompatFaultAddress(_ address: UInt64) {
    typealias Info = Xen.OffsetX86_32.vcpu_info
    // SAFETY: `shared` points to 64 bytes, of which these four are the field.
    UnsafeMutableRawPointer(shared).storeBytes(
      of: UInt32(truncatingIfNeeded: address),
      toByteOffset: Info.arch + Xen.OffsetX86_32.arch_vcpu_info.cr2, as: UInt32.self)
  }

  /// The same, for the kernel to read and write as CR2.
  var compatFaultAddress: UInt64 {
    typealias Info = Xen.OffsetX86_32.vcpu_info
    // SAFETY: as above.
    return UInt64(
      UnsafeRawPointer(shared).load(
        fromByteOffset: Info.arch + Xen.OffsetX86_32.arch_vcpu_info.cr2, as: UInt32.self))
  }

  /// Delivers a page fault that is the guest's own affair, as `deliverPlainPageFault` does; false, and
  /// nothing done, for one that may be something else, or that has no handler.
  @inline(__always)
  fileprivate mutating func deliverPlainCompatPageFault(_ frame: FramePointer) -> Bool {
    let address = xg_read_cr2()
    let errorCode = frame.pointee.error_code
    let entry = traps[Int(Vector.pageFault)]
    if errorCode & 0x1f == 3 || LDTWindow.mayContain(address) || entry.address == 0 { return false }
    setCompatFaultAddress(address)
    let user: UInt32 = 4
    let code = isKernelMode ? errorCode & ~user : errorCode | user
    enterCompat(at: entry, frame, errorCode: code)
    return true
  }

  /// Enters the kernel by `int $0x80`; false, and nothing done, where its entry does not allow that.
  @inline(__always)
  fileprivate mutating func enterBySystemCallGate(_ frame: FramePointer) -> Bool {
    let entry = traps[Int(Vector.systemCall)]
    guard entry.address != 0, entry.privilege >= (isKernelMode ? 1 : 3) else { return false }
    enterCompat(at: entry, frame, errorCode: nil)
    return true
  }

  /// The flags as the guest sees them: its interrupt flag is its upcall mask.
  @inline(__always)
  private mutating func shownFlags(_ frame: FramePointer) -> UInt32 {
    var flags = frame.pointee.rflags & ~(Flags.interrupt | Flags.privilegeLevel)
    if upcallMask == 0 { flags |= Flags.interrupt }
    if hasArchitecturalIOPL { flags |= UInt64(portAccess.level) << 12 }
    return UInt32(truncatingIfNeeded: flags)
  }

  /// Makes the guest go on in its kernel at `entry`.
  ///
  /// As with 64-bit guests, a stack that cannot be written ends the domain. A selector that the
  /// processor refuses shows at the way back (`refuseReturn`).
  @inline(never)
  mutating func enterCompat(at entry: EntryPoint, _ frame: FramePointer, errorCode: UInt32?) {
    finishCompatEntry(at: entry, [0, 0, 0, errorCode ?? 0], errorCode == nil ? 0 : 1, frame)
  }

  /// Enters the kernel at its failsafe callback.
  ///
  /// The frame begins with ds, es, fs, gs.
  mutating func enterCompatFailsafe(_ frame: FramePointer) {
    noteCompatMode(frame)
    let selectors: InlineArray<4, UInt32> = [
      UInt32(segments.ds), UInt32(segments.es), UInt32(segments.fs), UInt32(segments.gs),
    ]
    finishCompatEntry(at: failsafeEntry, selectors, 4, frame)
  }

  /// Enters the kernel with the last `headCount` words of `head` below the frame.
  @inline(__always)
  private mutating func finishCompatEntry(
    at entry: EntryPoint, _ head: InlineArray<4, UInt32>, _ headCount: UInt32, _ frame: FramePointer
  ) {
    let words: InlineArray<9, UInt32> = [
      head[0], head[1], head[2], head[3],
      UInt32(truncatingIfNeeded: frame.pointee.rip),
      UInt32(truncatingIfNeeded: frame.pointee.cs & 0xffff) | UInt32(upcallMask) << 16,
      shownFlags(frame),
      UInt32(truncatingIfNeeded: frame.pointee.rsp),
      UInt32(truncatingIfNeeded: frame.pointee.ss & 0xffff),
    ]
    var size = (headCount + 3) * 4
    var stack = frame.pointee.ss & 0xffff
    var top = frame.pointee.rsp
    if !isKernelMode {
      size += 8
      stack = UInt64(kernelStackSelector)
      top = kernelStack
      isKernelMode = true
      if isRunstateStale { Work.request(Work.runstate) }
    }
    let bottom = UInt32(truncatingIfNeeded: top) &- size
    let base = segmentBase(UInt16(truncatingIfNeeded: stack))
    // A frame that wraps round at 4 GiB would reach the hypervisor's part there, so none may.
    let place = GuestVirtualAddress(UInt64(base &+ bottom))
    let isWritten = withUnsafeBytes(of: words) { bytes in
      guard let start = bytes.baseAddress else { return false }
      return GuestMemory.write(start + Int(4 - headCount) * 4, to: place, count: Int(size))
    }
    guard isWritten else { Self.refuseStack(frame) }
    if entry.masksEvents { upcallMask = 1 }
    frame.pointee.rip = entry.address & 0xffff_ffff
    frame.pointee.cs = UInt64(Hypervisor<MetalMachine>.ring1(entry.selector))
    frame.pointee.ss = stack
    frame.pointee.rsp = UInt64(bottom)
    frame.pointee.rflags &= ~Flags.clearedOnEntry
  }

  /// The base of a data segment, out of the descriptor that the processor would load.
  ///
  /// The guest chooses the selector; what is read are descriptors of its own, and only their base counts,
  /// for an address below 4 GiB.
  @inline(__always)
  mutating func segmentBase(_ selector: UInt16) -> UInt32 {
    selector == UInt16(XG_COMPAT_KERNEL_DS) ? 0 : Self.describedBase(selector)
  }

  @inline(never)
  private static func describedBase(_ selector: UInt16) -> UInt32 {
    UInt32(truncatingIfNeeded: descriptor(selector)?.base ?? 0)
  }

  /// The descriptor that a selector names, as the processor sees it; nil where there is none.
  static func descriptor(_ selector: UInt16) -> SegmentDescriptor? {
    let cpu = xg_this_cpu()
    let index = Int(cpu.pointee.index)
    let offset = UInt64(selector & ~7)
    let isLocal = selector & 4 != 0
    guard offset < (isLocal ? cpu.pointee.ldt_entries * 8 : 15 << 12) else { return nil }
    let window = isLocal ? LDTWindow.address(index) : PerCPU.gdtWindow(index)
    // SAFETY: a word of this CPU's window on a descriptor table; a page that is not there is survived.
    let loaded = xg_guarded_load_64(window + offset)
    return loaded.failed == 0 ? SegmentDescriptor(rawValue: loaded.value) : nil
  }

  /// The iret hypercall: eax, eip, cs, eflags, and to an outer ring esp and ss, off the kernel's stack.
  ///
  /// A guest could return to any selector, address and flags: ring 1 is forced, virtual-8086 mode is
  /// refused, interrupts stay on, and what the processor does not take comes back as a fault.
  mutating func returnFromCompatHandler(_ frame: FramePointer) {
    let base = segmentBase(UInt16(truncatingIfNeeded: frame.pointee.ss))
    let stack = UInt32(truncatingIfNeeded: frame.pointee.rsp)
    func pair(_ offset: UInt32) -> UInt64? {
      GuestMemory.load64(from: GuestVirtualAddress(UInt64(base &+ stack &+ offset)))
    }
    guard let first = pair(0), let second = pair(8) else { Self.refuseCompatContext(frame) }
    let flags = second >> 32
    let cs = Hypervisor<MetalMachine>.ring1(UInt16(truncatingIfNeeded: second))
    var esp = stack &+ 16
    var ss = UInt16(truncatingIfNeeded: frame.pointee.ss)
    let isVirtual = flags & Flags.virtual8086 != 0
    if !isVirtual, cs & 3 != 1 {
      guard let outer = pair(16) else { Self.refuseCompatContext(frame) }
      esp = UInt32(truncatingIfNeeded: outer)
      ss = UInt16(truncatingIfNeeded: outer >> 32)
    }
    frame.pointee.rax = first & 0xffff_ffff
    if isVirtual {
      // There is no virtual-8086 mode below long mode: the kernel is told where it asked for it.
      frame.pointee.rsp = UInt64(stack &+ 4)
      return deliver(Vector.generalProtection, frame, errorCode: 0)
    }
    frame.pointee.rip = first >> 32
    frame.pointee.cs = UInt64(cs)
    frame.pointee.rsp = UInt64(esp)
    frame.pointee.ss = UInt64(ss)
    frame.pointee.rflags =
      flags & 0x3f_7fd5 & ~(Flags.privilegeLevel | Flags.virtual8086)
      | Flags.interrupt | Flags.always
    if hasArchitecturalIOPL { portAccess.level = UInt8(flags >> 12 & 3) }
    if isNMIMasked { unmaskNMI() }
    upcallMask = flags & Flags.interrupt != 0 ? 0 : 1
    isKernelMode = cs & 3 == 1
  }

  @inline(never)
  private static func refuseCompatContext(_ frame: FramePointer) -> Never {
    current.pointee.crash("the iret hypercall's frame cannot be read", frame)
  }
}
