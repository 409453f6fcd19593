// Interrupts of devices, which a privileged domain gets as events.

internal import CXenABI

/// Lines of the interrupt controller.
public enum Interrupts {
  /// Calls `body` out of the loop when a level-triggered line interrupts; false where the hypervisor
  /// does not give it.
  ///
  /// The line stays closed until `body` has come back: by then the device must have taken its
  /// request back.
  public static func handle(line: UInt32, _ body: @escaping () -> Void) -> Bool {
    var setup = physdev_setup_gsi()
    setup.gsi = Int32(line)
    setup.triggering = 1
    // The lines that firmware routes PCI to are active while high, as their ISA inputs are.
    setup.polarity = 0
    guard HYPERVISOR_physdev_op(PHYSDEVOP_setup_gsi, &setup) == 0 else { return false }
    var map = physdev_map_pirq()
    map.domid = UInt16(DOMID_SELF)
    map.type = MAP_PIRQ_TYPE_GSI
    map.index = Int32(line)
    map.pirq = Int32(line)
    guard HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map) == 0 else { return false }
    let number = UInt32(map.pirq)
    var bind = evtchn_bind_pirq()
    bind.pirq = number
    bind.flags = UInt32(BIND_PIRQ__WILL_SHARE)
    guard HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind) == 0 else { return false }
    var query = physdev_irq_status_query()
    query.irq = number
    _ = HYPERVISOR_physdev_op(PHYSDEVOP_irq_status_query, &query)
    let needsEnd = query.flags & UInt32(XENIRQSTAT_needs_eoi) != 0
    Events.handle(bind.port) {
      body()
      guard needsEnd else { return }
      var end = physdev_eoi()
      end.irq = number
      _ = HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &end)
    }
    return true
  }
}
