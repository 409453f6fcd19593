// Exceptions: every one of them is a mistake of ours, told in a report that ends the domain.

internal import CGuest
internal import CXenABI

/// The trap table.
enum Traps {
  /// Registers the entries of Entries.S.
  static func start() {
    withUnsafeTemporaryAllocation(of: trap_info.self, capacity: 33) { table in
      for vector in 0..<32 {
        var row = trap_info()
        row.vector = UInt8(vector)
        // Bit 2: events stay masked.
        row.flags = 4
        row.cs = UInt16(FLAT_KERNEL_CS)
        row.address = UInt(guest_entry_address(UInt32(vector)))
        table.initializeElement(at: vector, to: row)
      }
      // A row without address ends the table.
      table.initializeElement(at: 32, to: trap_info())
      // SAFETY: the call reads rows up to the one that ends the table.
      _ = HYPERVISOR_set_trap_table(table.baseAddress)
    }
    _ = HYPERVISOR_set_callbacks(
      UInt(guest_address_event_entry()), UInt(guest_entry_address(UInt32(XG_GUEST_FAILSAFE))), 0)
  }
}

/// The report of an exception; called by Entries.S.
@c(guest_crash)
func crash(frame: UnsafePointer<guest_frame>) {
  let registers = frame.pointee
  Console.put(0x0a)
  say("crash: exception ").decimal(registers.vector).text(" error ").hex(registers.error_code)
    .text(" at ").hex(registers.rip).text(" address ").hex(Guest.faultAddress).end()
  say("crash: rax=").hex(registers.rax).text(" rbx=").hex(registers.rbx).text(" rcx=")
    .hex(registers.rcx).text(" rdx=").hex(registers.rdx).text(" rsi=").hex(registers.rsi)
    .text(" rdi=").hex(registers.rdi).end()
  say("crash: rbp=").hex(registers.rbp).text(" rsp=").hex(registers.rsp).text(" r8=")
    .hex(registers.r8).text(" r12=").hex(registers.r12).text(" r13=").hex(registers.r13)
    .text(" r14=").hex(registers.r14).text(" r15=").hex(registers.r15).end()
  // Whatever on the stack leads into the code, as frame pointers need not be there.
  let line = say("crash: stack:")
  var found = 0
  var address = UInt(registers.rsp) & ~7
  let end = UInt(guest_address_image_end())
  while address >= UInt(guest_address_image_start()), address < end - 8, found < 16 {
    // SAFETY: the address is aligned and inside the image, which is mapped.
    let word = UnsafePointer<UInt64>(bitPattern: address).unsafelyUnwrapped.pointee
    if word >= guest_address_image_start(), word < guest_address_text_end() {
      line.text(" ").hex(word)
      found += 1
    }
    address += 8
  }
  line.end()
  Guest.shutDown(reason: UInt32(SHUTDOWN_crash))
}
