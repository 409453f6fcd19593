// System time, out of the hypervisor's page and the processor's counter: abi/time.yaml.

internal import CGuest
internal import CXenABI
internal import XenABI

/// System time.
public enum Clock {
  /// Nanoseconds since the hypervisor started.
  public static var now: UInt64 {
    // SAFETY: vcpu_time_info of vcpu 0, which the hypervisor rewrites between odd and even versions.
    let place = (Guest.shared + Xen.Offset.vcpu_info.time)
      .assumingMemoryBound(to: vcpu_time_info.self)
    while true {
      let version = place.pointee.version
      guest_full_barrier()
      let time = place.pointee
      let ticks = guest_rdtsc() &- time.tsc_timestamp
      guest_full_barrier()
      guard version & 1 == 0, version == place.pointee.version else { continue }
      let scaled =
        time.tsc_shift < 0 ? ticks >> UInt64(-time.tsc_shift) : ticks << UInt64(time.tsc_shift)
      let (high, low) = scaled.multipliedFullWidth(by: UInt64(time.tsc_to_system_mul))
      return time.system_time &+ (high << 32 | low >> 32)
    }
  }
}
