// Time: there is no PIT and no APIC. The clock is computed, the timer a hypercall and an event.

import CXenABI
import Machine

enum Clock {
  static let millisecond: UInt64 = 1_000_000

  /// Binds the timer; `tick` is called when it has expired, with events masked.
  static func begin(_ tick: @escaping Events.Handler) {
    let error = Events.bindTimer(tick)
    if error != 0 { crash("the timer cannot be bound: ", error) }
    // A domain may start with a tick every 10 ms that it did not ask for.
    _ = HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, nil)
  }

  /// Nanoseconds since the machine started.
  static var now: UInt64 {
    // The hypervisor makes the version odd, writes, and makes it even again.
    while true {
      let version = load32(&Domain.vcpu.pointee.time.version)
      barrier()
      let area = Domain.vcpu.pointee.time
      var ticks = read_tsc() &- area.tsc_timestamp
      barrier()
      if version & 1 != 0 || version != load32(&Domain.vcpu.pointee.time.version) { continue }
      ticks =
        area.tsc_shift < 0 ? ticks >> UInt64(-Int(area.tsc_shift)) : ticks << UInt64(area.tsc_shift)
      // A 32.32 fixed-point product; 128 bits, because the counter may have run for long.
      let product = ticks.multipliedFullWidth(by: UInt64(area.tsc_to_system_mul))
      return area.system_time &+ (product.high << 32 | product.low >> 32)
    }
  }

  /// Lets the timer expire once, at that time. It may come some microseconds early.
  static func set(_ deadline: UInt64) {
    _ = HYPERVISOR_set_timer_op(deadline)
  }
}
