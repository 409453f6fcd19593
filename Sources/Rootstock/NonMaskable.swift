// NMIs of guests: VCPUOP_send_nmi marks one, the way out delivers it, and the iret hypercall lets the
// next one in (abi/nmi.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension Switch {
  /// Marks an NMI pending; a vcpu that sleeps is woken, one that runs is interrupted.
  ///
  /// A guest could send them without end: one that waits already is all there is.
  static func sendNMI(_ vcpu: GuestProcessorPointer) {
    Lock.scheduler.take()
    vcpu.pointee.isNMIPending = true
    let kick = kickLocked(vcpu)
    Lock.scheduler.release()
    // One that runs looks for NMIs only where there is work.
    deliver(kick.map { ($0.0, LocalAPIC.scheduleVector) })
  }
}

extension GuestProcessor {
  /// An NMI waits and may come.
  var isNMIDue: Bool { isNMIPending && !isNMIMasked }

  /// Enters the handler; without one the NMI is lost.
  ///
  /// It is taken first: one that is sent meanwhile is another.
  mutating func deliverNMI(_ frame: FramePointer) {
    isNMIPending = false
    let entry = traps[Int(Vector.nonMaskable)]
    guard entry.address != 0 else { return }
    isNMIMasked = true
    enterKernel(at: entry, frame)
  }

  /// The iret hypercall has come, of the handler or of a trap inside it.
  @inline(never)
  mutating func unmaskNMI() {
    isNMIMasked = false
    if isNMIPending { Work.request(Work.schedule) }
  }

  /// nmi_op: as CALLBACKTYPE_nmi of callback_op.
  mutating func nmiOperation(_ arguments: HypercallArguments) -> HypercallResult {
    switch arguments.command(0) {
    case XENNMI_register_callback:
      guard let request = GuestMemory.load(xennmi_callback(), from: arguments.address(1)) else {
        return .error(.fault)
      }
      let handler = GuestVirtualAddress(UInt64(request.handler_address))
      guard handler.isCanonical else { return .error(.invalid) }
      traps[Int(Vector.nonMaskable)] =
        is32Bit
        ? Self.compatEntry(UInt64(XG_COMPAT_KERNEL_CS), handler.value, flags: 4)
        : EntryPoint(address: handler.value, flags: 4)
    case XENNMI_unregister_callback: traps[Int(Vector.nonMaskable)] = EntryPoint()
    default: return .error(.noSuchCall)
    }
    return .value(0)
  }
}
