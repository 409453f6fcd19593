// Where Entry.S hands over: traps from guests, traps from the hypervisor itself, system calls.

import CMachine
import HypervisorCore

/// Exceptions by number: Intel SDM volume 3, 6.3.1.
enum Vector {
  static let debug: UInt32 = 1
  static let nonMaskable: UInt32 = 2
  static let invalidOpcode: UInt32 = 6
  static let deviceNotAvailable: UInt32 = 7
  static let doubleFault: UInt32 = 8
  static let generalProtection: UInt32 = 13
  static let pageFault: UInt32 = 14
  static let machineCheck: UInt32 = 18
  static let systemCall: UInt32 = 0x80
}

/// A trap or interrupt out of guest code.
@c(rootstock_trap)
func trap(frame: FramePointer) {
  let vcpu = GuestProcessor.current
  if frame.pointee.vector == Vector.systemCall {
    vcpu.pointee.handleSystemCallGate(frame)
  } else if frame.pointee.vector >= 32 {
    interrupt(frame.pointee.vector)
  } else {
    vcpu.pointee.handleException(frame)
  }
  _ = leave(frame)
}

/// A `syscall` out of guest code: a hypercall from the kernel, a system call from user mode.
///
/// Answers 1 if sysret can take the guest back: a kernel that has issued a hypercall expects rcx
/// and r11 to be lost. sysret to an address that is not canonical would fault in ring 0 with the
/// guest's stack pointer (Intel SDM volume 2, SYSRET), so that goes by iretq.
@c(rootstock_syscall)
func syscall(frame: FramePointer) -> Int32 {
  let vcpu = GuestProcessor.current
  if vcpu.pointee.isKernelMode {
    vcpu.pointee.hypercall(frame)
  } else {
    vcpu.pointee.enterForSystemCall(frame)
  }
  if leave(frame) { return 0 }
  if vcpu.pointee.needsFullReturn {
    vcpu.pointee.needsFullReturn = false
    return 0
  }
  let isFlat =
    frame.pointee.cs == UInt64(XG_GUEST_CS64) && frame.pointee.ss == UInt64(XG_GUEST_SS)
  return isFlat && GuestVirtualAddress(frame.pointee.rip).isCanonical ? 1 : 0
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
    if vector == Vector.pageFault, isSegmentLoad || rip == xg_address_guest_iret(),
      let offset = GuestProcessor.localTableOffset(xg_read_cr2()),
      GuestProcessor.current.pointee.fillLocalTable(at: offset)
    {
      return
    }
    if isSegmentLoad {
      // A selector that cannot be loaded is the null selector.
      frame.pointee.rdi = 0
      return
    }
    if rip == xg_address_guest_iret() { refuseReturn(frame) }
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
  GuestProcessor.current.pointee.handleException(frame)
  _ = leave(frame)
  xg_enter_guest(cpu)
}
