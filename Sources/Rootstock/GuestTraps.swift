// Exceptions of guests: which the guest's kernel gets to see, and as what.

import CMachine
import CXenABI
import HypervisorCore
import X86

/// Vectors whose frames carry an error code: Intel SDM volume 3, table 6-1.
private let vectorsWithErrorCode: UInt32 = 0x6022_7d00

extension GuestProcessor {
  /// Deals with an exception out of this vcpu's code.
  mutating func handleException(_ frame: FramePointer) {
    let vector = frame.pointee.vector
    let errorCode = frame.pointee.error_code
    switch vector {
    case Vector.pageFault:
      handlePageFault(frame, errorCode)
    case Vector.generalProtection:
      handleGeneralProtection(frame, errorCode)
    case Vector.deviceNotAvailable:
      // The ABI's lazy switching: the bit is clear when the handler runs.
      isTaskSwitched = false
      FloatingPoint.setTaskSwitched(false)
      deliver(vector, frame, errorCode: nil)
    case Vector.debug:
      if noteOrder(frame) { return }
      noteDebugException()
      deliver(vector, frame, errorCode: nil)
    case Vector.nonMaskable:
      log(.warning).text("an NMI while a guest ran").end()
    case Vector.doubleFault, Vector.machineCheck:
      panic("the machine is broken", frame)
    default:
      let hasCode = vectorsWithErrorCode >> vector & 1 != 0
      deliver(vector, frame, errorCode: hasCode ? errorCode : nil)
    }
  }

  /// Delivers a page fault that is the guest's own affair; false, and nothing done, for one that may
  /// be something else: a write to a page table, or an LDT that is not there yet.
  @inline(__always)
  mutating func deliverPlainPageFault(_ frame: FramePointer) -> Bool {
    let address = xg_read_cr2()
    let errorCode = frame.pointee.error_code
    if errorCode & 0x1f == 7 || LDTWindow.mayContain(address) { return false }
    shared.pointee.arch.cr2 = UInt(address)
    let user: UInt32 = 4
    let code = isKernelMode ? errorCode & ~user : errorCode | user
    enter(at: traps[Int(Vector.pageFault)], frame, errorCode: code)
    return true
  }

  /// The address goes into vcpu_info, and the error code's user bit says which mode of the guest
  /// it was, because the hardware has seen ring 3 either way.
  private mutating func handlePageFault(_ frame: FramePointer, _ errorCode: UInt32) {
    let address = xg_read_cr2()
    if let offset = Self.localTableOffset(address) {
      if fillLocalTable(at: offset) { return }
      // The guest sees where the entry is missing in its own memory.
      deliverPageFault(core.pointee.localTableBase.value &+ offset, 0, frame)
      return
    }
    // A write by the kernel's ring to a page that is present: all that a store to a table can be.
    if errorCode & 0x1f == (is32Bit ? 3 : 7), emulateTableWrite(frame, address) { return }
    deliverPageFault(address, errorCode, frame)
  }

  /// Delivers a page fault, with its address where the ABI has it.
  mutating func deliverPageFault(_ address: UInt64, _ errorCode: UInt32, _ frame: FramePointer) {
    if is32Bit {
      setCompatFaultAddress(address)
    } else {
      shared.pointee.arch.cr2 = UInt(address)
    }
    let user: UInt32 = 4
    let code = isKernelMode ? errorCode & ~user : errorCode | user
    deliver(Vector.pageFault, frame, errorCode: code)
  }

  /// A software interrupt through a gate that is the hypervisor's shows as a general protection
  /// fault whose error code names the vector: bit 1 for the IDT, the vector from bit 3 on.
  private mutating func handleGeneralProtection(_ frame: FramePointer, _ errorCode: UInt32) {
    if errorCode & 3 == 2 {
      let entry = traps[Int(errorCode >> 3 & 255)]
      if entry.privilege >= (isKernelMode ? 1 : 3) {
        frame.pointee.rip &+= 2
        enterKernel(at: entry, frame)
        return
      }
    }
    if errorCode == 0 && emulatePrivileged(frame) { return }
    if is32Bit, errorCode != 0, errorCode & 3 == 0, passGate(errorCode, frame) { return }
    deliver(Vector.generalProtection, frame, errorCode: errorCode)
  }

  /// `int $0x80` has a gate of its own.
  ///
  /// What follows is as if it had none, as the check of its privilege and the fault are the same.
  mutating func handleSystemCallGate(_ frame: FramePointer) {
    frame.pointee.rip &-= 2
    frame.pointee.vector = Vector.generalProtection
    handleGeneralProtection(frame, Vector.systemCall << 3 | 2)
  }

  /// `ud2a; .ascii "xen"; cpuid`: the prefix by which a guest asks for the hypervisor's answer.
  @inline(__always)
  mutating func emulateForced(_ frame: FramePointer, at address: GuestVirtualAddress) -> Bool {
    guard Self.isForcedIdentification(at: address) else { return false }
    let answer = CPUIDPolicy.answer(
      leaf: UInt32(truncatingIfNeeded: frame.pointee.rax),
      subleaf: UInt32(truncatingIfNeeded: frame.pointee.rcx))
    frame.pointee.rax = UInt64(answer.eax)
    frame.pointee.rbx = UInt64(answer.ebx)
    frame.pointee.rcx = UInt64(answer.ecx)
    frame.pointee.rdx = UInt64(answer.edx)
    guest.pointee.record.pointee.count("cpuid", at: frame.pointee.rip)
    finishInstruction(length: 7, frame)
    return true
  }

  /// 0f 0b 78 65 6e 0f a2: a load of eight bytes sees it, unless that reached into another page.
  @inline(__always)
  private static func isForcedIdentification(at address: GuestVirtualAddress) -> Bool {
    let low: UInt64
    if address.value & 0xfff <= 0xff8 {
      guard let word = GuestMemory.load64(from: address) else { return false }
      low = word
    } else {
      let bytes = FetchedBytes(at: address)
      guard bytes.count >= 7 else { return false }
      low = bytes.low
    }
    return low & 0xff_ffff_ffff_ffff == 0xa2_0f6e_6578_0b0f
  }
}
