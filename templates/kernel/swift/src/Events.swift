// Events: what interrupts are to a PV kernel. Bits in the shared page, one for each port:
//
//     vcpu_info.evtchn_upcall_pending   something is pending for this processor
//       evtchn_pending_sel              in these words of
//         evtchn_pending[64]            these ports, unless in
//           evtchn_mask[64]

import CXenABI
import Machine

enum Events {
  typealias Handler = @convention(c) (UInt32) -> Void

  private static let ports: UInt32 = 1024
  /// Who is called for each port.
  private nonisolated(unsafe) static var handlers = InlineArray<1024, Handler?>(repeating: nil)

  /// Masks every port.
  static func begin() {
    for word in 0..<Int(XEN_EVTCHN_WORDS) { mask_word(Domain.shared, Int32(word)).pointee = ~0 }
  }

  /// Calls the handlers of all pending ports, with events masked; Traps.swift.
  static func deliver() {
    let vcpu = Domain.vcpu
    // In this order: what comes after the exchange sets the flag again, and we are called again.
    store8(&vcpu.pointee.evtchn_upcall_pending, 0)
    var words = exchange64(selector_word(vcpu), 0)
    while words != 0 {
      let word = words.trailingZeroBitCount
      words &= words - 1
      let pending = pending_word(Domain.shared, Int32(word))
      var bits = pending.pointee & ~mask_word(Domain.shared, Int32(word)).pointee
      while bits != 0 {
        let bit = bits.trailingZeroBitCount
        bits &= bits - 1
        // First clear, then handle: an event that comes meanwhile is a new one.
        and64(pending, ~(1 << UInt64(bit)))
        let port = UInt32(word * 64 + bit)
        if port < ports { handlers[Int(port)]?(port) }
      }
    }
  }

  /// Binds the timer; 0, or what the hypervisor refused it with.
  static func bindTimer(_ handler: @escaping Handler) -> Int {
    var bind = evtchn_bind_virq(virq: UInt32(VIRQ_TIMER), vcpu: 0, port: 0)
    let error = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &bind)
    if error != 0 { return error }
    return handle(bind.port, handler)
  }

  /// Handles a port that is open already; 0, or an error.
  static func handle(_ port: UInt32, _ handler: @escaping Handler) -> Int {
    if port >= ports { return -Int(XEN_ENOSPC) }
    handlers[Int(port)] = handler
    // By hypercall: clearing the bit does not deliver what came while it was set.
    var unmask = evtchn_unmask(port: port)
    return HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask)
  }

  /// Masks a port and forgets its handler.
  static func forget(_ port: UInt32) {
    if port >= ports { return }
    or64(mask_word(Domain.shared, Int32(port / 64)), 1 << UInt64(port % 64))
    handlers[Int(port)] = nil
  }

  /// As cli: no event is delivered to this processor.
  static func disable() {
    store8(&Domain.vcpu.pointee.evtchn_upcall_mask, 1)
  }

  /// As sti: lets events be delivered to this processor.
  static func enable() {
    store8(&Domain.vcpu.pointee.evtchn_upcall_mask, 0)
    // The store alone delivers nothing; on its way out of any hypercall the hypervisor looks.
    if load8(&Domain.vcpu.pointee.evtchn_upcall_pending) != 0 {
      _ = HYPERVISOR_xen_version(XENVER_version, nil)
    }
  }

  /// As hlt: enables events and sleeps until one is pending, in one step, so that none slips between.
  static func wait() {
    _ = HYPERVISOR_sched_op(SCHEDOP_block, nil, 0)
  }

  /// Sleeps until this one port is pending, or the time has come; its handler is not called.
  static func poll(_ port: UInt32, _ deadline: UInt64) {
    and64(pending_word(Domain.shared, Int32(port / 64)), ~(1 << UInt64(port % 64)))
    poll_port(port, deadline)
  }
}
