// Traps: exceptions, as the hypervisor hands them on.

import CXenABI
import Machine

enum Traps {
  /// The page was there: the access was not allowed.
  static let faultPresent: UInt64 = 1
  static let pageFault: UInt64 = 14
  /// Not a vector of the processor: traps.S uses it for the hypervisor's event callback.
  static let event: UInt64 = 256

  /// Called on a page fault with address and error code; true: it is cured, try again.
  typealias PageFaultHandler = @convention(c) (UInt64, UInt64) -> Bool
  nonisolated(unsafe) static var onPageFault: PageFaultHandler? = nil

  /// Registers all handlers with the hypervisor. A row of zeros ends the table.
  static func begin() {
    var table = InlineArray<33, trap_info>(repeating: trap_info())
    for vector in 0..<32 {
      table[vector].vector = UInt8(vector)
      table[vector].cs = UInt16(FLAT_KERNEL_CS)
      table[vector].address = UInt(exception_entry(UInt64(vector)))
      // An event that comes before the handler has read the faulting address could fault itself
      // and overwrite it.
      if vector == Int(pageFault) { table[vector].flags = UInt8(XEN_TRAP_MASK_EVENTS) }
    }
    var span = table.mutableSpan
    var error = span.withUnsafeMutableBufferPointer { HYPERVISOR_set_trap_table($0.baseAddress) }
    if error == 0 {
      error = HYPERVISOR_set_callbacks(
        UInt(event_entry_address()), UInt(failsafe_entry_address()), 0)
    }
    if error != 0 { crash("traps cannot be registered: ", error) }
  }

  /// Everything that helps to find the fault.
  static func report(_ frame: trap_frame) -> Never {
    say("trap ")
    say(number: frame.vector)
    say(", error code ")
    say(hexadecimal: frame.error_code)
    row(
      " at rip ", frame.rip, " rsp ", frame.rsp, " address ", UInt64(Domain.vcpu.pointee.arch.cr2))
    row("rax ", frame.rax, " rbx ", frame.rbx, " rcx ", frame.rcx)
    row("rdx ", frame.rdx, " rsi ", frame.rsi, " rdi ", frame.rdi)
    row("rbp ", frame.rbp, " r8 ", frame.r8, " r9 ", frame.r9)
    row("r10 ", frame.r10, " r11 ", frame.r11, " r12 ", frame.r12)
    row("r13 ", frame.r13, " r14 ", frame.r14, " r15 ", frame.r15)
    row("cs ", frame.cs & 0xffff, " ss ", frame.ss, " rflags ", frame.rflags)
    crash("nobody handles trap ", Int(frame.vector))
  }

  private static func row(
    _ a: StaticString, _ x: UInt64, _ b: StaticString, _ y: UInt64, _ c: StaticString, _ z: UInt64
  ) {
    say(a)
    say(hexadecimal: x)
    say(b)
    say(hexadecimal: y)
    say(c)
    say(hexadecimal: z)
    say("\n")
  }
}

/// Called by traps.S; to return is to go on where the trap came from.
@c public func trap_handle(_ frame: UnsafePointer<trap_frame>) {
  if frame.pointee.vector == Traps.event {
    Events.deliver()
    return
  }
  // %cr2 itself cannot be read here: the hypervisor leaves its value in the shared page.
  if frame.pointee.vector == Traps.pageFault, let handler = Traps.onPageFault,
    handler(UInt64(Domain.vcpu.pointee.arch.cr2), frame.pointee.error_code)
  {
    return
  }
  Traps.report(frame.pointee)
}
