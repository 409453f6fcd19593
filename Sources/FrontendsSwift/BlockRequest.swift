// What a caller hands to a disk, and what it may ask of it.

/// What is to be done.
public enum BlockOperation: UInt8 {
  case read
  case write
  /// After all before it, before all after it; may have no data.
  case writeBarrier
  /// What has been answered becomes durable.
  case flush
  case discard
  case discardSecure
}

/// A request.
///
/// The caller leaves it and its data alone from `submit` until `done`.
public final class BlockRequest {
  public var operation: BlockOperation
  /// Of 512 bytes.
  public var sector: UInt64
  public var count: UInt64
  public var data: UnsafeMutableRawPointer?
  /// Event or driver context.
  ///
  /// May submit again.
  public var done: ((BlockRequest) -> Void)?
  /// `nil`: it was done.
  public internal(set) var failure: Failure?

  /// The next that waits; how much of it has gone, and how much is not answered.
  var next: BlockRequest?
  var issued: UInt64 = 0
  var left: UInt64 = 0

  /// A request; `data` has room for all sectors.
  public init(
    _ operation: BlockOperation, sector: UInt64 = 0, count: UInt64 = 0,
    data: UnsafeMutableRawPointer? = nil, done: ((BlockRequest) -> Void)? = nil
  ) {
    self.operation = operation
    self.sector = sector
    self.count = count
    self.data = data
    self.done = done
  }
}

/// What to ask for; what the backend does not offer is left out.
public struct BlockOptions {
  public var flush = true
  public var barrier = true
  public var discard = true
  public var persistent = true
  /// Of 4 KiB in a request, up to 512; 0: plain requests of 11.
  public var indirectSegments: UInt32 = 32
  /// Binary logarithm of the pages of a ring, up to 4.
  public var ringOrder: UInt32 = 1
  /// Up to 8.
  public var queues: UInt32 = 1
  /// For data under way.
  public var poolPages: UInt32 = 128
  /// Of a request over faults of the backend, before it fails.
  public var tries: UInt32 = 3
  /// Nanoseconds until an answer counts as lost.
  public var requestTimeout: UInt64 = 30_000_000_000
  /// Nanoseconds that requests wait for a backend to return.
  public var reconnectTimeout: UInt64 = 60_000_000_000

  /// Everything.
  public init() {}
}
