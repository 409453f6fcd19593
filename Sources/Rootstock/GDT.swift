// set_gdt: HypervisorCore checks and keeps the frames; here they become visible to the processor.

import CMachine
import HypervisorCore

extension GuestProcessor {
  mutating func setGDT(_ arguments: inout HypercallArguments) -> HypercallResult {
    let result = Host.hypervisor.setGDT(&arguments, from: caller)
    if result == .value(0) { loadGDT() }
    return result
  }

  /// Maps the vcpu's GDT on this CPU.
  ///
  /// The processor sets accessed bits in descriptors, so the window is writable; the guest has the
  /// pages read-only.
  func loadGDT() {
    PerCPU.mapDescriptors(
      Int(xg_this_cpu().pointee.index), count: core.pointee.descriptorFrameCount
    ) { core.pointee.descriptorFrames[$0] }
  }
}
