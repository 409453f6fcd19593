// sysenter: on Intel's processors 64-bit user code may enter the kernel by it. It keeps neither the
// place nor the stack that it comes from, so the kernel and its user code must agree on them.

import CMachine
import HypervisorCore

/// A `sysenter` out of guest code; Entry.S has built the frame.
@c(rootstock_sysenter)
func sysenter(frame: FramePointer) {
  GuestProcessor.current.pointee.enterForSysenter(frame)
  _ = leave(GuestProcessor.current, frame, by: WayBack.full)
}

extension GuestProcessor {
  /// Enters the kernel at its callback; without one the instruction faults.
  mutating func enterForSysenter(_ frame: FramePointer) {
    if is32Bit {
      isKernelMode = false
      frame.pointee.ss = UInt64(XG_COMPAT_USER_DS)
    }
    if sysenterEntry.address == 0 {
      deliver(Vector.generalProtection, frame, errorCode: 0)
    } else {
      enterKernel(at: sysenterEntry, frame)
    }
  }
}
