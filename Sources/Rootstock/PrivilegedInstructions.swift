// Privileged instructions of a guest's kernel, carried out in its stead: what it sees is its own
// virtual processor, never the machine's state. The permissive policy counts each; the strict one
// ends the guest.

import CMachine
import CXenABI
import HypervisorCore
import X86

/// What became of an instruction.
enum Emulation: Equatable {
  /// It is carried out, and the guest goes on behind it.
  case done
  /// It faults as without emulation.
  case refused
  /// It raises another exception, without an error code.
  case fault(UInt32)
  /// It touches memory that is not there.
  case faultAt(UInt64, UInt32)
  /// The guest runs it again, or goes where it has been sent.
  case unfinished

  init(_ isDone: Bool) { self = isDone ? .done : .refused }
}

extension GuestProcessor {
  /// Carries out the instruction that a general protection fault of the kernel points to.
  ///
  /// False where the fault is the guest's own to handle.
  mutating func emulatePrivileged(_ frame: FramePointer) -> Bool {
    guard var instruction = instruction(at: frame), !instruction.hasLock
    else { return false }
    let address = frame.pointee.rip
    let (rule, outcome) = emulate(&instruction, frame)
    if outcome == .refused { return false }
    if TrapRecord.isStrict && !guest.pointee.isExempt {
      log(.error).text("strict: rip=").hex(address).text(" rule=").text(rule).end()
      frame.pointee.rip = address
      crash("a privileged instruction under the strict policy", frame)
    }
    guest.pointee.record.pointee.count(rule, at: address)
    switch outcome {
    case .done: finishInstruction(length: instruction.length, frame)
    case .fault(let vector): deliver(vector, frame, errorCode: nil)
    case .faultAt(let address, let code): deliverPageFault(address, code, frame)
    case .unfinished, .refused: break
    }
    return true
  }

  /// The instruction that a frame points to, where it is of the width that the guest's kernel has.
  mutating func instruction(at frame: FramePointer) -> InstructionBytes? {
    if is32Bit { return compatInstruction(at: frame) }
    guard isLongCode(frame) else { return nil }
    return InstructionBytes(at: GuestVirtualAddress(frame.pointee.rip))
  }

  /// Goes on behind an emulated instruction, as the processor does: with a trap where the guest
  /// steps, or where a breakpoint was met.
  mutating func finishInstruction(length: Int, _ frame: FramePointer, met conditions: UInt64 = 0) {
    frame.pointee.rip &+= UInt64(length)
    if is32Bit { frame.pointee.rip &= 0xffff_ffff }
    frame.pointee.rflags &= ~Flags.resume
    let isStepped = frame.pointee.rflags & Flags.trap != 0
    if isStepped || conditions != 0 {
      debug.note(conditions | (isStepped ? DebugRegisters.singleStep : 0))
      deliver(Vector.debug, frame, errorCode: nil)
    }
  }

  /// Whether the guest runs 64-bit code: by its flat segment, or one of its own GDT's.
  ///
  /// An LDT's is not asked: looking at it could fault.
  mutating func isLongCode(_ frame: FramePointer) -> Bool {
    let selector = frame.pointee.cs & 0xffff
    if selector == UInt64(XG_GUEST_CS64) { return true }
    return selector & 4 == 0 && xg_access_rights(UInt32(selector)) & 1 << 21 != 0
  }

  /// One line for each instruction; the answer names its rule.
  ///
  /// What Xen 4.17 does not emulate faults here too: hlt, invlpg, invd and rdpmc. User mode has the
  /// port instructions alone, as far as the kernel lets it.
  private mutating func emulate(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> (StaticString, Emulation) {
    switch instruction.opcode {
    case 0xe4, 0xe5, 0xec, 0xed: ("in", portInstruction(&instruction, frame))
    case 0xe6, 0xe7, 0xee, 0xef: ("out", portInstruction(&instruction, frame))
    case 0x6c, 0x6d: ("ins", portString(&instruction, frame))
    case 0x6e, 0x6f: ("outs", portString(&instruction, frame))
    case 0xfa: ("cli", switchInterrupts())
    case 0xfb: ("sti", switchInterrupts())
    case _ where !isKernelMode: ("", .refused)
    case 0x0f20: (controlRule(instruction), Emulation(readControl(&instruction, frame)))
    case 0x0f22: (controlRule(instruction), Emulation(writeControl(&instruction, frame)))
    case 0x0f21: ("mov-from-dr", readDebugRegister(&instruction, frame))
    case 0x0f23: ("mov-to-dr", writeDebugRegister(&instruction, frame))
    case 0x0f32: ("rdmsr", Emulation(readMSR(frame)))
    case 0x0f30: ("wrmsr", Emulation(writeMSR(frame)))
    case 0x0f31: ("rdtsc", Emulation(readCounter(frame)))
    case 0x0f06: ("clts", Emulation(setTaskSwitched(false)))
    case 0x0f09: ("wbinvd", .done)
    case 0x0f01 where instruction.following == 0xd1:
      ("xsetbv", afterModRM(&instruction, setExtendedControl(frame.pointee)))
    default: ("", .refused)
    }
  }

  /// Counts the byte that belongs to the opcode.
  private mutating func afterModRM(
    _ instruction: inout InstructionBytes, _ outcome: Emulation
  ) -> Emulation {
    _ = instruction.next()
    return outcome
  }

  /// The rule of a control register's move, by the register.
  private mutating func controlRule(_ instruction: InstructionBytes) -> StaticString {
    let isRead = instruction.opcode == 0x0f20
    return switch instruction.registerField(instruction.following ?? 0) {
    case 0: isRead ? "mov-from-cr0" : "mov-to-cr0"
    case 2: isRead ? "mov-from-cr2" : "mov-to-cr2"
    case 3: isRead ? "mov-from-cr3" : "mov-to-cr3"
    default: isRead ? "mov-from-cr4" : "mov-to-cr4"
    }
  }

  private mutating func readControl(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Bool {
    guard let modRM = instruction.next() else { return false }
    let value: UInt64
    switch instruction.registerField(modRM) {
    case 0:
      let taskSwitched: UInt64 = 8
      value = xg_read_cr0() & ~taskSwitched | (isTaskSwitched ? taskSwitched : 0)
    case 2: value = is32Bit ? compatFaultAddress : UInt64(shared.pointee.arch.cr2)
    case 3:
      guard let table = core.pointee.kernelTable else { return false }
      value =
        is32Bit
        ? UInt64(Hypervisor<MetalMachine>.compatBase(table)) : table.address.value
    case 4: value = Features.guestCR4(controls)
    default: return false
    }
    frame[register: instruction.baseField(modRM)] = is32Bit ? value & 0xffff_ffff : value
    return true
  }

  /// CR0 may change in TS alone, CR4 in DE and TSD; CR3 is MMUEXT_NEW_BASEPTR.
  private mutating func writeControl(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Bool {
    guard let modRM = instruction.next() else { return false }
    var value = frame[register: instruction.baseField(modRM)]
    if is32Bit { value &= 0xffff_ffff }
    switch instruction.registerField(modRM) {
    case 0:
      guard (value ^ xg_read_cr0()) & (is32Bit ? 0xffff_fff7 : ~8) == 0 else { return false }
      return setTaskSwitched(value & 8 != 0)
    case 2:
      if is32Bit { setCompatFaultAddress(value) } else { shared.pointee.arch.cr2 = UInt(value) }
    case 3:
      return loadTable(
        is32Bit
          ? Hypervisor<MetalMachine>.compatTable(UInt32(truncatingIfNeeded: value))
          : MachineAddress(value).frame)
    case 4:
      // Bits that are not the guest's to choose stay as they are, without a fault.
      controls = value & Features.guestControls
      Features.setGuestControls(controls, isCompat: is32Bit)
    default: return false
    }
    return true
  }

  /// Goes on where a load was interrupted, a bounded number of times: each makes progress.
  private mutating func loadTable(_ table: MachineFrame) -> Bool {
    for _ in 0..<4096 {
      do throws(MemoryError) {
        try withDomain(domain) { () throws(MemoryError) in
          try Host.hypervisor.loadKernelTable(table, for: caller)
        }
        return true
      } catch {
        guard error == .preempted else { return false }
        drain()
      }
    }
    return false
  }

  /// Goes on with tables that wait to be taken apart.
  mutating func drain() {
    do throws(MemoryError) {
      try withDomain(domain) { () throws(MemoryError) in try Host.hypervisor.drain(domain) }
    } catch {}
  }

  private mutating func setTaskSwitched(_ isSet: Bool) -> Bool {
    isTaskSwitched = isSet
    FloatingPoint.setTaskSwitched(isSet)
    return true
  }

  /// With CR4.TSD the counter faults in ring 3, where the guest's kernel is as well.
  private func readCounter(_ frame: FramePointer) -> Bool {
    let value = xg_rdtsc()
    frame.pointee.rax = value & 0xffff_ffff
    frame.pointee.rdx = value >> 32
    return true
  }
}
