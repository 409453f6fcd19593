// rdmsr and wrmsr of a guest's kernel: a list of what it may see and change. What is not on it faults,
// as on a processor that does not have it.

import CMachine
import HypervisorCore
import X86

extension GuestProcessor {
  /// Reads what is on the list.
  func readMSR(_ frame: FramePointer) -> Bool {
    let number = UInt32(truncatingIfNeeded: frame.pointee.rcx)
    let value: UInt64
    switch number {
    case MSR.fsBase, MSR.gsBase, MSR.kernelGSBase, MSR.features, MSR.pageAttributes:
      value = xg_rdmsr(number)
    case MSR.apicBase: value = xg_rdmsr(number) & ~(1 << 10)
    case MSR.counter: value = xg_rdtsc()
    case MSR.machineCheckCapabilities: value = Self.machineCheckBanks
    case MSR.firstMachineCheckBank...MSR.lastMachineCheckBank:
      // Of each bank's four the first is its control, with every error on, as no one switches.
      value = number & 3 == 0 ? ~0 : 0
    case MSR.machineCheckStatus, MSR.machineCheckControl, MSR.platformInformation,
      MSR.miscellaneousFeatures:
      value = 0
    default: return false
    }
    frame.pointee.rax = value & 0xffff_ffff
    frame.pointee.rdx = value >> 32
    return true
  }

  /// Banks of the virtual machine check, which never has an error.
  private static let machineCheckBanks: UInt64 = 2

  /// Writes segment bases; elsewhere accepts what changes nothing.
  mutating func writeMSR(_ frame: FramePointer) -> Bool {
    let number = UInt32(truncatingIfNeeded: frame.pointee.rcx)
    let value = frame.pointee.rax & 0xffff_ffff | frame.pointee.rdx << 32
    let isCanonical = GuestVirtualAddress(value).isCanonical
    switch number {
    case MSR.fsBase where isCanonical: fsBase = value
    case MSR.gsBase where isCanonical: gsBaseKernel = value
    case MSR.kernelGSBase where isCanonical: gsBaseUser = value
    case MSR.features: return value == xg_rdmsr(number)
    case MSR.machineCheckCapabilities, MSR.machineCheckStatus, MSR.machineCheckControl: return true
    case MSR.firstMachineCheckBank...MSR.lastMachineCheckBank: return number & 3 == 0 || value == 0
    case MSR.miscellaneousFeatures: return value == 0
    default: return false
    }
    xg_wrmsr(number, value)
    return true
  }
}

extension MSR {
  static let counter: UInt32 = 0x10
  static let platformInformation: UInt32 = 0xce
  static let miscellaneousFeatures: UInt32 = 0x140
  static let machineCheckCapabilities: UInt32 = 0x179
  static let machineCheckStatus: UInt32 = 0x17a
  static let machineCheckControl: UInt32 = 0x17b
  static let firstMachineCheckBank: UInt32 = 0x400
  static let lastMachineCheckBank: UInt32 = 0x407
}
