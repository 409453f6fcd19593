// How fast counters run, out of readings of them beside a reference that counts down, such as the
// PIT's channel (Intel 8254). One reading is as coarse as the reference's count, and an emulator may be
// stopped in the middle of it; the mean of many that went fast is fine enough for a clock.

/// What counters were between two readings of the time-stamp counter.
public struct CounterReading {
  /// The time-stamp counter before.
  public var before: UInt64
  /// And after.
  public var after: UInt64
  /// A counter that goes up and wraps round.
  public var other: UInt32
  /// The reference, which goes down.
  public var reference: UInt16

  /// A reading.
  public init(before: UInt64, after: UInt64, other: UInt32, reference: UInt16) {
    self.before = before
    self.after = after
    self.other = other
    self.reference = reference
  }

  fileprivate var width: UInt64 { after &- before }
}

/// Counters at one moment: the mean of readings in a row, in parts of 256 of a tick.
public struct CounterMoment {
  /// How many readings make a moment.
  public static var readings: Int { 64 }

  private var ticks: UInt64
  private var other: UInt64
  private var reference: UInt64

  /// The mean of those readings that took at most half as long again as the fastest.
  ///
  /// The reference must not have wrapped round between them.
  public init(_ readings: borrowing InlineArray<64, CounterReading>) {
    var least = UInt64.max
    for index in readings.indices { least = min(least, readings[index].width) }
    let first = readings[0]
    var count: UInt64 = 0
    var sums: (ticks: UInt64, other: UInt64, reference: UInt64) = (0, 0, 0)
    for index in readings.indices where readings[index].width <= least &+ least / 2 {
      count += 1
      sums.ticks &+= readings[index].before &- first.before &+ readings[index].width / 2
      sums.other &+= UInt64(readings[index].other &- first.other)
      sums.reference &+= UInt64(first.reference &- readings[index].reference)
    }
    count = max(count, 1)
    ticks = first.before &* 256 &+ (sums.ticks &* 256) / count
    other = UInt64(first.other) * 256 + (sums.other &* 256) / count
    reference = UInt64(first.reference) * 256 &- (sums.reference &* 256) / count
  }

  /// Ticks a second of the time-stamp counter and of the other since an earlier moment; nil where the
  /// reference has not moved.
  ///
  /// The reference's own rate is a fraction.
  public func rates(
    since earlier: Self, counts: UInt64, inSeconds seconds: UInt64
  ) -> (ticks: UInt64, other: UInt64)? {
    let passed = earlier.reference &- reference
    guard passed > 0, passed < 1 << 24 else { return nil }
    // The other's sum is of 32 bits and 8.
    let others = (other &- earlier.other) & 0xff_ffff_ffff
    let divisor = passed * seconds
    guard let ticks = Self.divide(ticks &- earlier.ticks, counts, divisor),
      let other = Self.divide(others, counts, divisor)
    else { return nil }
    return (ticks, other)
  }

  private static func divide(_ ticks: UInt64, _ counts: UInt64, _ divisor: UInt64) -> UInt64? {
    let (product, overflow) = ticks.multipliedReportingOverflow(by: counts)
    return overflow ? nil : product / divisor
  }
}
