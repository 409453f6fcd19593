// The end of a domain by its own fault: what the harness reads and a developer needs.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Reports why the domain cannot go on, and ends it.
  ///
  /// What the CPU did for it is given up, so no lock may be held. The lines begin with `crash:`: first the reason, then registers, then words of the stack.
  @inline(never)
  func crash(_ reason: StaticString, _ frame: FramePointer) -> Never {
    let mode: StaticString = isKernelMode ? "kernel" : "user"
    log(.error).text("crash: domain=").decimal(domain.pointee.id.rawValue).text(" vcpu=")
      .decimal(core.pointee.id.rawValue).text(" mode=").text(mode).text(" reason=").text(reason)
      .end()
    printRegisters(frame, prefix: "crash")
    let faultAddress = is32Bit ? compatFaultAddress : UInt64(shared.pointee.arch.cr2)
    log(.error).text("crash: cr2=").hex(faultAddress).text(" cr3=").hex(xg_read_cr3())
      .text(" kernel-stack=").hex(kernelStack).text(" upcall-mask=").decimal(upcallMask).end()
    var line = log(.error).text("crash: stack=")
    for index in 0..<UInt64(16) {
      let address = GuestVirtualAddress(frame.pointee.rsp &+ index &* 8)
      guard let word = GuestMemory.load(UInt64(0), from: address) else { break }
      line = line.hex(word).text(" ")
    }
    line.end()
    DomainEnd.begin(guest, reason: UInt32(SHUTDOWN_crash))
    Switch.abandon()
  }
}
