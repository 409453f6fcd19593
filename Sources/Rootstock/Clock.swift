// Time: the processor's time-stamp counter, calibrated against the PIT (Intel 8254).

import CMachine

/// Rates of the counters, and system time.
struct Clock {
  var ticksPerSecond: UInt64 = 0
  var apicTicksPerSecond: UInt64 = 0
  /// The counter at system time zero.
  var start: UInt64 = 0
  /// Nanoseconds per tick as a 32.32 fixed-point number.
  var scale: UInt64 = 0

  /// Ticks of the APIC's timer per nanosecond, likewise.
  var apicScale: UInt64 = 0

  /// Nanoseconds since the hypervisor started.
  var now: UInt64 { nanoseconds(xg_rdtsc() &- start) }

  func nanoseconds(_ ticks: UInt64) -> UInt64 {
    let (high, low) = ticks.multipliedFullWidth(by: scale)
    return high << 32 | low >> 32
  }

  /// Ticks of the APIC's timer until a system time, at least one and never too few.
  ///
  /// One that is too far off for the timer's 32 bits fires early and is set again.
  func apicTicks(until time: UInt64) -> UInt32 {
    let wait = time &- now
    guard Int64(bitPattern: wait) > 0 else { return 1 }
    let (high, low) = wait.multipliedFullWidth(by: apicScale)
    let ticks = (high << 32 | low >> 32) &+ 1
    return high >> 31 != 0 ? .max : UInt32(clamping: ticks)
  }

  /// Measures both counters over ten milliseconds of the PIT's channel 2.
  ///
  /// The best of three, because an emulator may be stopped in the middle of one.
  mutating func calibrate() {
    var best = UInt64.max
    for _ in 0..<3 {
      let (ticks, apic) = measure()
      if ticks < best {
        best = ticks
        apicTicksPerSecond = UInt64(apic) * 100
      }
    }
    ticksPerSecond = best * 100
    start = xg_rdtsc()
    apicScale = (apicTicksPerSecond << 32) / 1_000_000_000
    scale = ticksPerSecond == 0 ? 0 : UInt64(1_000_000_000 << 32) / ticksPerSecond
  }

  private func measure() -> (ticks: UInt64, apic: UInt32) {
    let count: UInt16 = 11932
    xg_out8(0x61, (xg_in8(0x61) & ~2) | 1)
    xg_out8(0x43, 0xb0)
    xg_out8(0x42, UInt8(truncatingIfNeeded: count))
    LocalAPIC.startFreeRunning()
    let begin = xg_rdtsc()
    xg_out8(0x42, UInt8(count >> 8))
    // The output rises when the count is over. A machine without a PIT must not hang the start.
    var polls = 0
    while xg_in8(0x61) & 0x20 == 0 && polls < 50_000_000 { polls += 1 }
    return (xg_rdtsc() &- begin, LocalAPIC.elapsedTicks)
  }
}
