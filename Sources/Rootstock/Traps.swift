// Where Entry.S hands over: traps from guests, traps from the hypervisor itself, system calls.

import CMachine

/// Exceptions by number: Intel SDM volume 3, 6.3.1.
enum Vector {
  static let debug: UInt32 = 1
  static let nonMaskable: UInt32 = 2
  static let doubleFault: UInt32 = 8
  static let generalProtection: UInt32 = 13
  static let pageFault: UInt32 = 14
  static let machineCheck: UInt32 = 18
}

/// A trap or interrupt out of guest code.
@c(rootstock_trap)
func trap(frame: UnsafeMutablePointer<xg_frame>) {
  if frame.pointee.vector >= 32 {
    interrupt(frame.pointee.vector)
    return
  }
  panic("a guest's trap with no guest", frame)
}

/// A trap or interrupt out of the hypervisor.
@c(rootstock_internal_trap)
func internalTrap(frame: UnsafeMutablePointer<xg_frame>) {
  let vector = frame.pointee.vector
  if vector >= 32 {
    interrupt(vector)
    return
  }
  switch vector {
  case Vector.pageFault, Vector.generalProtection:
    let rip = frame.pointee.rip
    if rip >= xg_address_guarded_start() && rip < xg_address_guarded_end() {
      frame.pointee.rip = xg_address_guarded_fixup()
      return
    }
    panic("a fault in the hypervisor", frame)
  case Vector.doubleFault:
    panic("a double fault, as of a stack that is full", frame)
  case Vector.debug:
    // A guest's breakpoint whose delivery the processor put off into the hypervisor.
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
    xg_this_cpu().pointee.ticks &+= 1
  case UInt32(LocalAPIC.spuriousVector):
    break
  default:
    log(.warning).text("interrupt ").decimal(vector).text(" that nobody expects").end()
    LocalAPIC.endInterrupt()
  }
}

@c(rootstock_syscall)
func syscall(frame: UnsafeMutablePointer<xg_frame>) -> Int32 { 0 }
