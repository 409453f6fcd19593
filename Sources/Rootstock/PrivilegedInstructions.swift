// Privileged instructions of a guest's kernel, carried out in its stead: what it sees is its own
// virtual processor, never the machine's state. The permissive policy counts each; the strict one
// ends the guest.

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Carries out the instruction that a general protection fault of the kernel points to.
  ///
  /// False where the fault is the guest's own to handle.
  mutating func emulatePrivileged(_ frame: FramePointer) -> Bool {
    guard isKernelMode, frame.pointee.cs == UInt64(XG_GUEST_CS64),
      var instruction = InstructionBytes(at: GuestVirtualAddress(frame.pointee.rip)),
      !instruction.hasLock
    else { return false }
    let address = frame.pointee.rip
    guard let rule = emulate(&instruction, frame) else { return false }
    if TrapRecord.isStrict {
      log(.error).text("strict: rip=").hex(address).text(" rule=").text(rule).end()
      frame.pointee.rip = address
      crash("a privileged instruction under the strict policy", frame)
    }
    guest.pointee.record.pointee.count(rule, at: address)
    return true
  }

  /// One line for each instruction; the answer names its rule.
  ///
  /// What Xen 4.17 does not emulate faults here too: hlt, invlpg, invd, cli and sti.
  private mutating func emulate(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> StaticString? {
    let outcome: (rule: StaticString, isDone: Bool) =
      switch instruction.opcode {
      case 0x0f20: ("mov-from-cr", readControl(&instruction, frame))
      case 0x0f22: ("mov-to-cr", writeControl(&instruction, frame))
      case 0x0f32: ("rdmsr", readMSR(frame))
      case 0x0f30: ("wrmsr", writeMSR(frame))
      case 0x0f31: ("rdtsc", readCounter(frame))
      case 0x0f06: ("clts", setTaskSwitched(false))
      case 0x0f09: ("wbinvd", true)
      default: ("", false)
      }
    guard outcome.isDone else { return nil }
    frame.pointee.rip &+= UInt64(instruction.length)
    return outcome.rule
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
    case 2: value = UInt64(shared.pointee.arch.cr2)
    case 3:
      guard let table = core.pointee.kernelTable else { return false }
      value = table.address.value
    case 4: value = Features.guestCR4
    default: return false
    }
    frame.pointee[register: instruction.baseField(modRM)] = value
    return true
  }

  /// CR0 may change in TS alone, CR4 in DE and TSD; CR3 is MMUEXT_NEW_BASEPTR.
  private mutating func writeControl(
    _ instruction: inout InstructionBytes, _ frame: FramePointer
  ) -> Bool {
    guard let modRM = instruction.next() else { return false }
    let value = frame.pointee[register: instruction.baseField(modRM)]
    switch instruction.registerField(modRM) {
    case 0:
      guard (value ^ xg_read_cr0()) & ~8 == 0 else { return false }
      return setTaskSwitched(value & 8 != 0)
    case 2: shared.pointee.arch.cr2 = UInt(value)
    case 3: return loadTable(MachineAddress(value).frame)
    case 4:
      // Bits that are not the guest's to choose stay as they are, without a fault.
      controls = value & Features.guestControls
      Features.setGuestControls(controls)
    default: return false
    }
    return true
  }

  /// Goes on where a load was interrupted, a bounded number of times: each makes progress.
  private func loadTable(_ table: MachineFrame) -> Bool {
    for _ in 0..<4096 {
      do throws(MemoryError) {
        try withCore { () throws(MemoryError) in
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
  func drain() {
    withCore {
      do throws(MemoryError) { try Host.hypervisor.drain(domain) } catch {}
    }
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

  /// The registers that a guest may read; everything else faults.
  private func readMSR(_ frame: FramePointer) -> Bool {
    let value: UInt64
    switch UInt32(truncatingIfNeeded: frame.pointee.rcx) {
    case MSR.fsBase, MSR.gsBase, MSR.kernelGSBase:
      value = xg_rdmsr(UInt32(truncatingIfNeeded: frame.pointee.rcx))
    case MSR.features: value = xg_rdmsr(MSR.features)
    case MSR.apicBase: value = xg_rdmsr(MSR.apicBase) & ~(1 << 10)
    case MSR.pageAttributes: value = xg_rdmsr(MSR.pageAttributes)
    default: return false
    }
    frame.pointee.rax = value & 0xffff_ffff
    frame.pointee.rdx = value >> 32
    return true
  }

  private mutating func writeMSR(_ frame: FramePointer) -> Bool {
    let value = frame.pointee.rax & 0xffff_ffff | frame.pointee.rdx << 32
    let isCanonical = GuestVirtualAddress(value).isCanonical
    switch UInt32(truncatingIfNeeded: frame.pointee.rcx) {
    case MSR.fsBase where isCanonical: fsBase = value
    case MSR.gsBase where isCanonical: gsBaseKernel = value
    case MSR.kernelGSBase where isCanonical: gsBaseUser = value
    case MSR.features: return value == xg_rdmsr(MSR.features)
    case MSR.pageAttributes: return value == xg_rdmsr(MSR.pageAttributes)
    default: return false
    }
    xg_wrmsr(UInt32(truncatingIfNeeded: frame.pointee.rcx), value)
    return true
  }
}
