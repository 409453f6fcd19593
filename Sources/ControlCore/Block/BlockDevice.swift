// What a block backend needs of the disk behind it. A driver takes commands and, later and in any
// order, tells which are done by their tokens.

/// What a disk is told to do.
public enum BlockAction: UInt8, Sendable {
  /// Read sectors into memory.
  case read
  /// Write sectors from memory.
  case write
  /// Make durable what has been written.
  case flush
  /// Forget sectors that are no longer needed.
  case discard
}

/// A run of memory: a whole number of sectors inside one page.
public struct BlockPiece {
  /// Where it is mapped.
  public var address: UnsafeMutableRawPointer
  /// Where it is in the machine.
  public var machine: UInt64
  /// Bytes.
  public var count: Int

  /// A run.
  public init(address: UnsafeMutableRawPointer, machine: UInt64, count: Int) {
    self.address = address
    self.machine = machine
    self.count = count
  }
}

/// One command to a disk.
public struct BlockCommand {
  /// What to do.
  public var action: BlockAction
  /// First sector.
  public var sector: UInt64 = 0
  /// Sectors; 0 for a flush.
  public var sectorCount: UInt64 = 0
  /// The memory, in the order of the sectors; empty for flushes and discards.
  public var pieces: [BlockPiece] = []
  /// The sectors' contents are to be unrecoverable.
  public var isSecure = false
  /// What the command is named by when it is done.
  public var token: UInt64 = 0
}

/// A disk.
public protocol BlockDevice {
  /// Sectors of 512 bytes.
  var sectorCount: UInt64 { get }
  /// Nothing may be written to it.
  var isReadOnly: Bool { get }
  /// Flushes mean something to it.
  var canFlush: Bool { get }
  /// It takes discards.
  var canDiscard: Bool { get }
  /// It takes discards that make the contents unrecoverable.
  var canDiscardSecurely: Bool { get }
  /// Takes a command; false if there is no room at the moment.
  func submit(_ command: BlockCommand) -> Bool
}

/// What a block backend offers to its guests; a test turns single features off.
public struct BlockFeatures: Sendable {
  /// Barriers.
  public var barrier = true
  /// Flushes.
  public var flush = true
  /// Discards.
  public var discard = true
  /// Pages stay mapped between requests.
  public var persistent = true
  /// Segments of an indirect request; 0 for none.
  public var indirectSegments = 256
  /// Binary logarithm of a ring's pages.
  public var ringPageOrder = 4
  /// Queues of a device.
  public var queues = 4
  /// Pages that stay mapped for one queue.
  public var persistentPages = 1056

  /// Everything.
  public init() {}
}
