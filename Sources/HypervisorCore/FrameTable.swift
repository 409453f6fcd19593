// The tables indexed by machine frame: frame records, and the machine-to-physical (M2P) table that
// guests read. Both lie in memory that the caller hands over at the start.

/// The records of all frames from 0 to the highest of RAM.
public struct FrameTable: @unchecked Sendable {
  // SAFETY: points to `count` initialised records that live as long as the hypervisor; indexes are
  // compared with `count` by `contains` before use. Access is under the core lock.
  let records: UnsafeMutablePointer<FrameRecord>

  /// How many frames there are, I/O memory and holes between included.
  public let count: UInt64

  /// Takes over memory for `count` records and marks all frames as I/O memory.
  public init(records: UnsafeMutablePointer<FrameRecord>, count: UInt64) {
    self.records = records
    self.count = count
    for index in 0..<Int(truncatingIfNeeded: count) {
      (records + index).initialize(to: FrameRecord(owner: .io))
    }
  }

  /// Whether there is a record of the frame.
  @inlinable public func contains(_ frame: MachineFrame) -> Bool { frame.number < count }

  /// Whether the frame is RAM, the hypervisor's included.
  public func isMemory(_ frame: MachineFrame) -> Bool {
    contains(frame) && self[frame].pointee.owner != .io
  }

  /// The record of a frame that the table contains.
  public subscript(frame: MachineFrame) -> UnsafeMutablePointer<FrameRecord> {
    precondition(frame.number < count, "Frame outside the table")
    return records + Int(truncatingIfNeeded: frame.number)
  }
}

/// The machine-to-physical table: for each frame its number in its owner's view.
///
/// Guests read it in the reserved hole, and set the entries of their own frames by hypercalls. The
/// hypervisor itself never relies on it.
public struct MachineToPhysicalTable: @unchecked Sendable {
  // SAFETY: points to `count` words, as FrameTable's records.
  let entries: UnsafeMutablePointer<UInt64>
  // SAFETY: `count` words likewise, where there is such a table.
  /// The same for 32-bit guests.
  let compatEntries: UnsafeMutablePointer<UInt32>?
  let count: UInt64

  /// Takes over memory for `count` words, which become empty entries.
  public init(
    entries: UnsafeMutablePointer<UInt64>, compatEntries: UnsafeMutablePointer<UInt32>? = nil,
    count: UInt64
  ) {
    self.entries = entries
    self.compatEntries = compatEntries
    self.count = count
    compatEntries?.initialize(repeating: ~0, count: Int(truncatingIfNeeded: count))
    entries.initialize(repeating: ~0, count: Int(truncatingIfNeeded: count))
  }

  /// The entry of a frame.
  public subscript(frame: MachineFrame) -> PseudoPhysicalFrame {
    get {
      guard frame.number < count else { return .none }
      return PseudoPhysicalFrame(entries[Int(truncatingIfNeeded: frame.number)])
    }
    nonmutating set {
      guard frame.number < count else { return }
      let index = Int(truncatingIfNeeded: frame.number)
      entries[index] = newValue.number
      compatEntries?[index] = UInt32(truncatingIfNeeded: newValue.number)
    }
  }
}
