// set_gdt: HypervisorCore checks and keeps the frames; here they become visible to the processor.

import CMachine
import HypervisorCore

extension GuestProcessor {
  mutating func setGDT(_ arguments: inout HypercallArguments) -> HypercallResult {
    CoreLock.takeAll()
    let result = Host.hypervisor.setGDT(&arguments, from: caller)
    CoreLock.releaseAll()
    if result == .value(0) { loadGDT() }
    return result
  }

  /// Maps the vcpu's GDT on this CPU.
  ///
  /// The processor sets accessed bits in descriptors, so the window is writable; the guest has the
  /// pages read-only.
  mutating func loadGDT() {
    let cpu = xg_this_cpu()
    PerCPU.mapDescriptors(
      Int(cpu.pointee.index), count: core.pointee.descriptorFrameCount,
      before: Int(cpu.pointee.descriptor_pages)
    ) { core.pointee.descriptorFrames[$0] }
    cpu.pointee.descriptor_pages = UInt64(core.pointee.descriptorFrameCount)
  }
}
