// Time: the processor's time-stamp counter, calibrated against the PIT (Intel 8254).

import CMachine
import HypervisorCore

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

  /// Measures both counters against the PIT's channel 2, over 30 milliseconds or somewhat more.
  ///
  /// An emulator may be stopped at any moment, so that nothing is taken for an interval but what the
  /// three counters themselves say of it. Where the PIT's has run out meanwhile, it is done again.
  mutating func calibrate() {
    for _ in 0..<20 {
      startCount()
      let first = Self.moment()
      guard waitForCount() else { break }
      let last = Self.moment()
      if xg_in8(0x61) & Self.hasRunOut == 0,
        let rates = last.rates(
          since: first, counts: Self.crystal, inSeconds: Self.crystalDivisor)
      {
        ticksPerSecond = rates.ticks
        apicTicksPerSecond = rates.other
        break
      }
    }
    start = xg_rdtsc()
    apicScale = (apicTicksPerSecond << 32) / 1_000_000_000
    scale = ticksPerSecond == 0 ? 0 : UInt64(1_000_000_000 << 32) / ticksPerSecond
  }

  /// The PIT counts once in 12 cycles of a crystal of this frequency (Intel 8254, on a PC).
  private static let crystal: UInt64 = 14_318_180
  private static let crystalDivisor: UInt64 = 12
  /// In port 0x61: the output of channel 2, which rises when the count is over.
  private static let hasRunOut: UInt8 = 0x20

  /// Lets channel 2 count down once from the top, without sound, and the APIC's timer run freely.
  private func startCount() {
    xg_out8(0x61, (xg_in8(0x61) & ~2) | 1)
    xg_out8(0x43, 0xb0)
    xg_out8(0x42, 0xff)
    xg_out8(0x42, 0xff)
    LocalAPIC.startFreeRunning()
  }

  /// Waits for 30 ms of counts; false on a machine without a PIT, which must not hang the start.
  private func waitForCount() -> Bool {
    let first = Self.readCount()
    for _ in 0..<50_000_000 {
      if xg_in8(0x61) & Self.hasRunOut != 0 { return true }
      if first &- Self.readCount() > 35_795 { return true }
    }
    return false
  }

  private static func moment() -> CounterMoment {
    var readings = InlineArray<64, CounterReading>(
      repeating: CounterReading(before: 0, after: 0, other: 0, reference: 0))
    for index in readings.indices {
      let before = xg_rdtsc()
      let count = readCount()
      let apic = LocalAPIC.elapsedTicks
      readings[index] = CounterReading(
        before: before, after: xg_rdtsc(), other: apic, reference: count)
    }
    return CounterMoment(readings)
  }

  /// The count of channel 2, latched.
  private static func readCount() -> UInt16 {
    xg_out8(0x43, 0x80)
    let low = UInt16(xg_in8(0x42))
    return UInt16(xg_in8(0x42)) << 8 | low
  }
}
