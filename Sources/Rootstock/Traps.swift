// Where Entry.S hands over: traps from guests, traps from the hypervisor itself, system calls.

import CMachine
import CXenABI
import HypervisorCore

/// Exceptions by number: Intel SDM volume 3, 6.3.1.
enum Vector {
  static let debug: UInt32 = 1
  static let nonMaskable: UInt32 = 2
  static let invalidOpcode: UInt32 = 6
  static let deviceNotAvailable: UInt32 = 7
  static let doubleFault: UInt32 = 8
  static let invalidTSS: UInt32 = 10
  static let generalProtection: UInt32 = 13
  static let pageFault: UInt32 = 14
  static let machineCheck: UInt32 = 18
  static let systemCall: UInt32 = 0x80
}

/// How Entry.S takes a guest back: its answers to rootstock_trap and rootstock_syscall.
enum WayBack {
  /// By iretq, with every register out of the frame, which may be another vcpu's.
  static let full: Int32 = 0
  /// By sysretq: rcx and r11 may be lost, and what a called function preserves is the guest's still.
  static let systemReturn: Int32 = 1
  /// By iretq, with what a called function preserves left as it is.
  static let short: Int32 = -1
}

/// A trap or interrupt out of guest code.
@c(rootstock_trap)
func trap(frame: FramePointer) -> Int32 {
  if GuestProcessor.current.pointee.is32Bit { return compatTrap(frame) }
  switch frame.pointee.vector {
  case Vector.pageFault: return pageFault(frame)
  case Vector.invalidOpcode: return invalidOpcode(frame)
  default: return otherTrap(frame)
  }
}

@inline(never)
private func invalidOpcode(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  guard vcpu.pointee.emulateForced(frame, at: GuestVirtualAddress(frame.pointee.rip)) else {
    return otherTrap(frame)
  }
  return leave(vcpu, frame, by: WayBack.full)
}

@inline(never)
private func pageFault(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  guard vcpu.pointee.deliverPlainPageFault(frame) else { return otherTrap(frame) }
  return leave(vcpu, frame, by: WayBack.short)
}

@inline(never)
private func otherTrap(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  let vector = frame.pointee.vector
  if vector == Vector.systemCall {
    vcpu.pointee.handleSystemCallGate(frame)
  } else if vector >= 32 {
    interrupt(vector)
  } else {
    vcpu.pointee.handleException(frame)
  }
  return leave(vcpu, frame, by: WayBack.full)
}

/// A `syscall` out of guest code: a hypercall from the kernel, a system call from user mode.
///
/// The calls that kernels make most often come first, each with a way of its own.
@c(rootstock_syscall)
func syscall(frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  guard vcpu.pointee.isKernelMode else { return systemCall(frame) }
  let number = frame.pointee.rax
  if _fastPath(number == UInt64(__HYPERVISOR_iret)) { return returnFromHandler(frame) }
  if number == UInt64(__HYPERVISOR_event_channel_op),
    Int32(truncatingIfNeeded: frame.pointee.rdi) == EVTCHNOP_send
  {
    return sendEvent(frame)
  }
  if number == UInt64(__HYPERVISOR_xen_version),
    Int32(truncatingIfNeeded: frame.pointee.rdi) == XENVER_version
  {
    // What guests ask only for the sake of the way in: events are delivered on the way back.
    vcpu.pointee.finish(number, with: Int64(VersionHypercall.version), frame)
    return leave(vcpu, frame)
  }
  return hypercall(frame)
}

@inline(never)
private func systemCall(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  vcpu.pointee.enter(at: vcpu.pointee.syscallEntry, frame)
  return leave(vcpu, frame, by: wayToHandler(frame))
}

/// A `syscall` out of 32-bit code, of whichever mode and guest.
@c(rootstock_syscall32)
func systemCall32(frame: FramePointer) {
  let vcpu = GuestProcessor.current
  if vcpu.pointee.is32Bit { vcpu.pointee.noteCompatSystemCall(frame) }
  vcpu.pointee.enterForSystemCall32(frame)
  _ = leave(vcpu, frame, by: WayBack.full)
}

@inline(never)
private func returnFromHandler(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  let way = vcpu.pointee.returnFromHandler(frame) ? wayOfSystemReturn(frame) : WayBack.short
  return leave(vcpu, frame, by: way)
}

@inline(never)
private func sendEvent(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  vcpu.pointee.sendEvent(frame)
  return leave(vcpu, frame)
}

@inline(never)
private func hypercall(_ frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  vcpu.pointee.hypercall(frame)
  return leave(vcpu, frame)
}

/// The way to a handler that has just been entered: its selectors are the flat ones, and rcx and r11
/// are on its stack.
@inline(__always)
func wayToHandler(_ frame: FramePointer) -> Int32 {
  GuestVirtualAddress(frame.pointee.rip).isCanonical ? WayBack.systemReturn : WayBack.short
}

/// By sysretq, if that is possible: a kernel that has issued a hypercall expects rcx and r11 to be
/// lost.
///
/// sysret to an address that is not canonical would fault in ring 0 with the guest's stack pointer
/// (Intel SDM volume 2, SYSRET), so that goes by iretq.
@inline(__always)
func wayOfSystemReturn(_ frame: FramePointer) -> Int32 {
  guard frame.pointee.cs == UInt64(XG_GUEST_CS64), frame.pointee.ss == UInt64(XG_GUEST_SS),
    GuestVirtualAddress(frame.pointee.rip).isCanonical
  else { return WayBack.short }
  return WayBack.systemReturn
}

/// A trap or interrupt out of the hypervisor.
@c(rootstock_internal_trap)
func internalTrap(frame: FramePointer) {
  let vector = frame.pointee.vector
  if vector >= 32 {
    interrupt(vector)
    return
  }
  switch vector {
  case Vector.pageFault, Vector.generalProtection, 11, 12:
    let rip = frame.pointee.rip
    if rip >= xg_address_guarded_start() && rip < xg_address_guarded_end() {
      frame.pointee.rip = xg_address_guarded_fixup()
      return
    }
    let isSegmentLoad =
      rip >= xg_address_segment_loads_start() && rip < xg_address_segment_loads_end()
    let isReturn = rip == xg_address_guest_iret() || rip == xg_address_guest_short_iret()
    if vector == Vector.pageFault, isSegmentLoad || isReturn,
      let offset = GuestProcessor.localTableOffset(xg_read_cr2()),
      GuestProcessor.current.pointee.fillLocalTable(at: offset)
    {
      return
    }
    if isSegmentLoad {
      // A selector that cannot be loaded is the null selector, and the caller is told.
      frame.pointee.rdi = 0
      frame.pointee.rax = 1
      return
    }
    if isReturn { refuseReturn(frame) }
    panic("a fault in the hypervisor", frame)
  case Vector.doubleFault:
    panic("a double fault, as of a stack that is full", frame)
  case Vector.debug:
    // A guest's breakpoint whose delivery the processor put off into the hypervisor, or its trap
    // flag, which sysenter does not clear.
    // What was met here must not show in the guest's next exception.
    frame.pointee.rflags &= ~Flags.trap
    xg_write_dr6(0xffff_0ff0)
    return
  case Vector.nonMaskable:
    log(.warning).text("an NMI while the hypervisor ran").end()
  case Vector.machineCheck:
    panic("a machine check", frame)
  default:
    panic("an exception in the hypervisor", frame)
  }
}

/// An interrupt, whatever it interrupted.
func interrupt(_ vector: UInt32) {
  switch vector {
  case UInt32(LocalAPIC.timerVector):
    LocalAPIC.endInterrupt()
    let cpu = xg_this_cpu()
    cpu.pointee.ticks &+= 1
    cpu.pointee.deadline = .max
    cpu.pointee.work |= Work.timer
  case UInt32(LocalAPIC.eventVector):
    // The events are seen on the way out; a vcpu that was stopped meanwhile has been woken.
    LocalAPIC.endInterrupt()
  case UInt32(LocalAPIC.scheduleVector):
    LocalAPIC.endInterrupt()
    Work.request(Work.schedule)
  case UInt32(LocalAPIC.flushVector):
    LocalAPIC.endInterrupt()
    Shootdown.serve()
  case UInt32(LocalAPIC.spuriousVector):
    break
  default:
    if InterruptController.note(vector) { return }
    log(.warning).text("interrupt ").decimal(vector).text(" that nobody expects").end()
    LocalAPIC.endInterrupt()
  }
}

/// The processor has refused a guest's return frame: the exception becomes the guest's own.
///
/// The registers are the guest's already, and the five words of the return are where the stack
/// pointer was when iretq failed.
private func refuseReturn(_ failed: FramePointer) -> Never {
  let cpu = xg_this_cpu()
  var frame = failed.pointee
  // SAFETY: iretq ran with the stack pointer at the last five words of the main stack's frame.
  let words = UnsafePointer<UInt64>(bitPattern: UInt(failed.pointee.rsp)).unsafelyUnwrapped
  frame.rip = words[0]
  frame.cs = words[1]
  frame.rflags = words[2]
  frame.rsp = words[3]
  frame.ss = words[4]
  let top = UInt(bitPattern: cpu) + UInt(XG_BLOCK_SIZE - XG_FRAME_SIZE)
  // SAFETY: the frame's place at the top of the main stack, which nothing else uses by now.
  let place = FramePointer(bitPattern: top).unsafelyUnwrapped
  place.pointee = frame
  xg_call_on_stack(UInt64(top) & ~15, rootstock_refused)
}

/// Goes on below the rebuilt frame.
@c(rootstock_refused)
func refused() {
  let cpu = xg_this_cpu()
  let top = UInt(bitPattern: cpu) + UInt(XG_BLOCK_SIZE - XG_FRAME_SIZE)
  // SAFETY: as above.
  let frame = FramePointer(bitPattern: top).unsafelyUnwrapped
  let vcpu = GuestProcessor.current
  // The handler may be one that the processor refuses, too: others must have their turn.
  xg_sti_cli()
  if vcpu.pointee.is32Bit { vcpu.pointee.noteCompatMode(frame) }
  vcpu.pointee.handleException(frame)
  _ = leave(vcpu, frame, by: WayBack.full)
  xg_enter_guest(cpu)
}
