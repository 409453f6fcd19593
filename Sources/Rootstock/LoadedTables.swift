// Whose page tables a CPU has loaded. One that becomes idle keeps those of the vcpu that waits, since it
// most often goes on with the same one: then no translation was lost, and none has to be found again.
//
// That is safe because every flush that a change of page tables needs reaches the CPU where the vcpu ran
// last. A flush of everything also makes an idle CPU load the hypervisor's tables, so a top table is
// loaded nowhere any more when its frame gets another use.

import CMachine
import HypervisorCore

/// The page tables that CPUs have loaded.
enum LoadedTables {
  /// Notes that a vcpu runs on a CPU now; answers whether the translations that the CPU has are its.
  ///
  /// The scheduler lock is held.
  static func claim(_ vcpu: UInt64, _ here: ProcessorID) -> Bool {
    let cpu = xg_this_cpu()
    let isResumed = cpu.pointee.resumable == vcpu && cpu.pointee.table_owner == vcpu
    cpu.pointee.resumable = 0
    // SAFETY: the address of a vcpu that the scheduler has just chosen.
    let guest = GuestProcessorPointer(bitPattern: UInt(vcpu)).unsafelyUnwrapped
    if let last = guest.pointee.core.pointee.processor, last != here {
      // Flushes reach it here from now on, and not there.
      let other = PerCPU.data(Int(last.rawValue))
      if other.pointee.resumable == vcpu { other.pointee.resumable = 0 }
    }
    return isResumed
  }

  /// Loads the hypervisor's tables.
  static func drop() {
    xg_write_cr3(HypervisorPages.top.address.value)
    xg_this_cpu().pointee.table_owner = 0
  }

  /// Likewise, unless they are those of the vcpu that runs.
  static func dropForeign() {
    let cpu = xg_this_cpu()
    if cpu.pointee.table_owner != cpu.pointee.vcpu { drop() }
  }

  /// Sees to it that no CPU has the tables of a vcpu loaded, which runs nowhere and shall not.
  ///
  /// The core lock is held.
  static func forget(_ vcpu: GuestProcessorPointer) {
    let address = UInt64(UInt(bitPattern: vcpu))
    var others = ProcessorSet.none
    Lock.scheduler.take()
    for index in 0..<Int(Host.acpi.processorCount) {
      let cpu = PerCPU.data(index)
      if cpu.pointee.resumable == address { cpu.pointee.resumable = 0 }
      guard cpu.pointee.table_owner == address, cpu.pointee.vcpu != address else { continue }
      others.insert(ProcessorID(UInt8(truncatingIfNeeded: index)))
    }
    Lock.scheduler.release()
    // Of this CPU, too: a shootdown is for others.
    dropForeign()
    Shootdown.flush(nil, on: others)
  }
}
