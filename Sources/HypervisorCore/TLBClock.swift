// Remembers which processors may still hold a stale translation. A frame that changes its type or
// its owner needs a flush only where none happened since its last use ended.

/// Counts flushes, so that unneeded ones are left out.
///
/// Frame records keep the clock's value from when their use ended. A processor on which a flush began
/// later, and is over, cannot have a translation from before. At its highest value the clock stands still,
/// and every processor counts as stale: slow but safe.
///
/// Several processors may flush at once. The time goes on by compare-and-exchange when a flush begins; when
/// it is over, its beginning is written down for each processor by a plain store. An older beginning that
/// overwrites a newer one makes the processor look more stale than it is, which costs a flush.
public struct TLBClock: Sendable {
  /// Flushes begun so far: a word, so that it can be exchanged.
  private var flushes: UInt64 = 1
  /// The processors that run.
  public var online: ProcessorSet
  private var flushedAt = InlineArray<64, UInt32>(repeating: 0)

  /// A clock for the processors that run.
  public init(online: ProcessorSet) { self.online = online }

  /// Flushes begun so far, which is the stamp of what ends now.
  public var time: UInt32 { UInt32(truncatingIfNeeded: flushes) }

  /// Notes that a flush of everything begins; the answer is what `noteFlush` is told when it is over.
  @inline(__always)
  mutating func begin(on machine: some Machine) -> UInt32 {
    var expected = flushes
    while expected < UInt64(UInt32.max) {
      let found = machine.compareExchange(
        &flushes, expected: expected, desired: expected + 1)
      if found == expected { return UInt32(truncatingIfNeeded: expected + 1) }
      expected = found
    }
    return .max
  }

  /// Notes that processors have flushed everything, since `begin` gave this time.
  @inline(__always)
  mutating func noteFlush(of processors: ProcessorSet, since beginning: UInt32) {
    var rest = processors.bits
    while rest != 0 {
      flushedAt[rest.trailingZeroBitCount] = beginning
      rest &= rest - 1
    }
  }

  /// The processors that may have translations from the time of a stamp.
  ///
  /// Every change of a frame's type and every frame that is handed out asks. It changes nothing; but of
  /// an array that may not change, the compiler copies all stamps to read one.
  public mutating func staleProcessors(since stamp: UInt32) -> ProcessorSet {
    var stale = online
    guard time < .max else { return stale }
    var rest = online.bits
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      if flushedAt[index] > stamp { stale.remove(ProcessorID(UInt8(truncatingIfNeeded: index))) }
    }
    return stale
  }
}
