// What a guest is told about time: abi/time.yaml, vcpu_time_info.

import CXenABI

extension Clock {
  /// Tells a guest how to turn the counter into system time.
  func describe(_ time: inout vcpu_time_info) {
    // The multiplier has 32 bits below the point, so a slow counter is shifted up first.
    var shift: Int8 = 0
    var rate = ticksPerSecond
    while rate > 0 && rate < 1_000_000_000 && shift < 31 {
      rate <<= 1
      shift += 1
    }
    time.version &+= 1
    time.tsc_timestamp = start
    time.system_time = 0
    time.tsc_to_system_mul = UInt32(truncatingIfNeeded: (1_000_000_000 << 32) / max(rate, 1))
    time.tsc_shift = shift
    time.version &+= 1
  }
}
