// The rates of counters out of coarse readings, some of which an emulator interrupts.

import Testing

@testable import HypervisorCore

@Suite struct CounterMomentTests {
  /// A machine whose reads take time: its counters are exact, what is read of them is not.
  private struct Machine {
    var random = SystemRandomNumberGenerator()
    /// In picoseconds.
    var now: UInt64 = 0
    var ticksPerSecond = 2_596_149_000.0
    var othersPerSecond = 1e9
    /// The other counter's value at time 0, near its end.
    var otherStart: UInt32 = 0xffff_0000
    /// One reading in so many is interrupted for half a millisecond.
    var interruption = 10

    mutating func wait(picoseconds: UInt64) { now += picoseconds }

    private var seconds: Double { Double(now) / 1e12 }
    private var ticks: UInt64 { UInt64(seconds * ticksPerSecond) + (1 << 40) }

    private mutating func read() -> CounterReading {
      let before = ticks
      wait(picoseconds: .random(in: 1_900_000...2_100_000, using: &random))
      let reference = UInt16(65_535 - UInt64(seconds * 14_318_180 / 12))
      if Int.random(in: 0..<interruption, using: &random) == 0 {
        wait(picoseconds: 500_000_000)
      }
      wait(picoseconds: .random(in: 1_900_000...2_100_000, using: &random))
      let other = otherStart &+ UInt32(seconds * othersPerSecond)
      wait(picoseconds: 300_000)
      return CounterReading(before: before, after: ticks, other: other, reference: reference)
    }

    mutating func moment() -> CounterMoment {
      var readings = InlineArray<64, CounterReading>(
        repeating: CounterReading(before: 0, after: 0, other: 0, reference: 0))
      for index in readings.indices { readings[index] = read() }
      return CounterMoment(readings)
    }
  }

  @Test func thirtyMilliseconds_giveRatesToFivePartsPerMillion() throws {
    for _ in 0..<200 {
      var machine = Machine()
      let first = machine.moment()
      machine.wait(picoseconds: 30_000_000_000)
      let last = machine.moment()
      let rates = try #require(
        last.rates(since: first, counts: 14_318_180, inSeconds: 12))
      #expect(abs(Double(rates.ticks) / machine.ticksPerSecond - 1) < 5e-6)
      #expect(abs(Double(rates.other) / machine.othersPerSecond - 1) < 5e-6)
    }
  }

  @Test func referenceThatStands_givesNoRate() {
    let readings = InlineArray<64, CounterReading>(
      repeating: CounterReading(before: 100, after: 200, other: 7, reference: 9))
    let moment = CounterMoment(readings)
    #expect(moment.rates(since: moment, counts: 14_318_180, inSeconds: 12) == nil)
  }

  @Test func ticksBeyondMeaning_giveNoRate() {
    let first = CounterMoment(
      InlineArray<64, CounterReading>(
        repeating: CounterReading(before: 0, after: 0, other: 0, reference: 9)))
    let last = CounterMoment(
      InlineArray<64, CounterReading>(
        repeating: CounterReading(before: 1 << 50, after: 1 << 50, other: 0, reference: 8)))
    #expect(last.rates(since: first, counts: 14_318_180, inSeconds: 12) == nil)
  }
}
