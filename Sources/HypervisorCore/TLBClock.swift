// Remembers which processors may still hold a stale translation. A frame that changes its type or
// its owner needs a flush only where none happened since its last use ended.

/// Counts flushes, so that unneeded ones are left out.
///
/// Frame records keep the clock's value from when their use ended. A processor that has flushed
/// later cannot have a translation from before. At its highest value the clock stands still, and
/// every processor counts as stale: slow but safe.
public struct TLBClock: Sendable {
  /// Flushes so far.
  public private(set) var time: UInt32 = 1
  /// The processors that run.
  public var online: ProcessorSet
  private var flushedAt = InlineArray<64, UInt32>(repeating: 0)

  /// A clock for the processors that run.
  public init(online: ProcessorSet) { self.online = online }

  /// Notes that processors have flushed everything, at or after this call's begin.
  public mutating func noteFlush(of processors: ProcessorSet) {
    if time < .max { time += 1 }
    var rest = processors.bits
    while rest != 0 {
      flushedAt[rest.trailingZeroBitCount] = time
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
