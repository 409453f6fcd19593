// The end: the hypervisor has found itself, or the machine, broken.

import CMachine

/// Ends an emulator that was told how, with a status of its own; halts a real machine.
private func endAfterPanic() -> Never {
  if Host.boot.commandLine.value(of: "debug-exit") != nil { xg_out32(0xf4, 2) }
  stop()
}

/// Prints why and halts.
func panic(_ reason: StaticString) -> Never {
  Log.isPanicking = true
  Log.limit = max(Log.limit, LogLevel.error.rawValue)
  log(.error).text("panic: ").text(reason).end()
  endAfterPanic()
}

/// Prints why with the registers of the trap that told, and halts.
func panic(_ reason: StaticString, _ frame: UnsafePointer<xg_frame>) -> Never {
  Log.isPanicking = true
  log(.error).text("panic: ").text(reason).end()
  log(.error).text("panic: cpu=").decimal(xg_this_cpu().pointee.index)
    .text(" cr2=").hex(xg_read_cr2()).text(" cr3=").hex(xg_read_cr3()).end()
  printRegisters(frame, prefix: "panic")
  endAfterPanic()
}

/// Prints a frame in the form `NAME: rip=… …`, which the harness reads.
func printRegisters(_ frame: UnsafePointer<xg_frame>, prefix: StaticString) {
  let registers = frame.pointee
  log(.error).text(prefix).text(": vector=").decimal(registers.vector)
    .text(" error=").hex(registers.error_code).text(" rip=").hex(registers.rip)
    .text(" cs=").hex(registers.cs).text(" rflags=").hex(registers.rflags)
    .text(" rsp=").hex(registers.rsp).text(" ss=").hex(registers.ss).end()
  log(.error).text(prefix).text(": rax=").hex(registers.rax).text(" rbx=").hex(registers.rbx)
    .text(" rcx=").hex(registers.rcx).text(" rdx=").hex(registers.rdx)
    .text(" rsi=").hex(registers.rsi).text(" rdi=").hex(registers.rdi)
    .text(" rbp=").hex(registers.rbp).end()
  log(.error).text(prefix).text(": r8=").hex(registers.r8).text(" r9=").hex(registers.r9)
    .text(" r10=").hex(registers.r10).text(" r11=").hex(registers.r11)
    .text(" r12=").hex(registers.r12).text(" r13=").hex(registers.r13)
    .text(" r14=").hex(registers.r14).text(" r15=").hex(registers.r15).end()
}
