// VMASST_TYPE_writable_pagetables: a guest kernel's store to a last-level table that it has mapped
// read-only faults, and HypervisorCore carries it out. Here the instruction is taken apart; the
// address is the one that faulted.

import CMachine
import CXenABI
import HypervisorCore
import X86

/// A store as the instruction has it.
private struct TableStore {
  var value: UInt64
  var byteCount: Int
  /// The register that gets the old value of an exchange.
  var exchanged: Int?
  var isCompared = false
}

extension GuestProcessor {
  /// Carries out a store that faulted on a present, read-only page.
  ///
  /// False where the fault is the guest's.
  mutating func emulateTableWrite(_ frame: FramePointer, _ address: UInt64) -> Bool {
    guard isKernelMode, frame.pointee.cs == UInt64(XG_GUEST_CS64),
      assists & 1 << UInt64(VMASST_TYPE_writable_pagetables) != 0,
      var instruction = InstructionBytes(at: GuestVirtualAddress(frame.pointee.rip)),
      let store = decodeStore(&instruction, frame)
    else { return false }
    let mask: UInt64 = store.byteCount == 8 ? ~0 : (1 << UInt64(store.byteCount * 8)) - 1
    let expected = store.isCompared ? frame.pointee.rax & mask : nil
    do throws(MemoryError) {
      let found = try withCore { () throws(MemoryError) in
        try Host.hypervisor.emulateTableWrite(
          at: GuestVirtualAddress(address), value: store.value, byteCount: store.byteCount,
          expected: expected, from: caller)
      }
      if let register = store.exchanged { frame.pointee[register: register] = found }
      if store.isCompared {
        let zero: UInt64 = 1 << 6
        let isEqual = found == frame.pointee.rax & mask
        frame.pointee.rflags = frame.pointee.rflags & ~zero | (isEqual ? zero : 0)
        if !isEqual { frame.pointee.rax = found }
      }
    } catch {
      guard error == .preempted else { return false }
      // The instruction runs again once the tables that wait are taken apart.
      drain()
      return true
    }
    frame.pointee.rip &+= UInt64(instruction.length)
    guest.pointee.record.pointee.count(
      "page-table-write", at: frame.pointee.rip &- UInt64(instruction.length))
    return true
  }

  /// mov, xchg and cmpxchg of 4 and 8 bytes: what compilers make of stores to page-table entries.
  private func decodeStore(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> TableStore? {
    guard !instruction.hasOperandSizePrefix, instruction.repeatPrefix == 0,
      let modRM = instruction.next(), instruction.skipMemoryOperand(modRM)
    else { return nil }
    let byteCount = instruction.rex & 8 != 0 ? 8 : 4
    let number = instruction.registerField(modRM)
    let register = frame.pointee[register: number] & (byteCount == 8 ? ~0 : 0xffff_ffff)
    switch instruction.opcode {
    case 0x89: return TableStore(value: register, byteCount: byteCount)
    case 0x87: return TableStore(value: register, byteCount: byteCount, exchanged: number)
    case 0x0fb1: return TableStore(value: register, byteCount: byteCount, isCompared: true)
    case 0xc7 where modRM & 0x38 == 0:
      guard let immediate = instruction.signed(byteCount: 4) else { return nil }
      let extended = UInt64(bitPattern: immediate)
      return TableStore(
        value: byteCount == 8 ? extended : extended & 0xffff_ffff, byteCount: byteCount)
    default: return nil
    }
  }
}

extension InstructionBytes {
  /// Skips what a ModRM byte for memory brings: SIB byte and displacement.
  fileprivate mutating func skipMemoryOperand(_ modRM: UInt8) -> Bool {
    let mode = modRM >> 6
    guard mode != 3 else { return false }
    var displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0
    if modRM & 7 == 4 {
      guard let index = next() else { return false }
      if mode == 0 && index & 7 == 5 { displacement = 4 }
    } else if mode == 0 && modRM & 7 == 5 {
      displacement = 4
    }
    for _ in 0..<displacement where next() == nil { return false }
    return true
  }
}
