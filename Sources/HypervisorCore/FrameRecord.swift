// What the hypervisor knows of one frame of RAM. The rules of counts stand here; the operations
// that keep them are in FrameReferences.swift, PageTypes.swift and PageTableTeardown.swift.

/// What a frame is used as.
///
/// Uses of different types exclude each other.
public enum FrameType: UInt8, Hashable, Sendable {
  /// Not used in any particular way yet.
  case none = 0
  /// A last-level page table.
  case level1 = 1
  /// A page table of level 2.
  case level2 = 2
  /// A page table of level 3.
  case level3 = 3
  /// A top-level page table.
  case level4 = 4
  /// Memory that somebody may write.
  case writable = 5
  /// Part of a descriptor table.
  case descriptors = 6
  /// The fourth table of level 2 of a 32-bit domain, which ends in the hypervisor's entries.
  case level2High = 7

  /// The level of a page table; 0 for what is none.
  @inlinable public var level: Int {
    rawValue <= 4 ? Int(rawValue) : self == .level2High ? 2 : 0
  }

  /// The type of a page table of a level from 1 to 4.
  @inlinable public static func table(level: Int) -> Self {
    switch level {
    case 1: .level1
    case 2: .level2
    case 3: .level3
    default: .level4
    }
  }
}

/// States of a frame beside its counts.
public struct FrameFlags: OptionSet, Hashable, Sendable {
  /// The bits.
  public var rawValue: UInt8

  /// The flags with these bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The frame belongs to its owner's reservation, which counts as one reference.
  @inlinable public static var allocated: Self { Self(rawValue: 1) }
  /// The owner has pinned it, which counts as one reference and one use.
  @inlinable public static var pinned: Self { Self(rawValue: 2) }
  /// Validation was interrupted: entries below `progress` are accounted for.
  ///
  /// One reference.
  @inlinable public static var validating: Self { Self(rawValue: 4) }
  /// Being torn down: entries below `progress` are still accounted for.
  ///
  /// One reference, and the frame is on its owner's teardown list.
  @inlinable public static var tearing: Self { Self(rawValue: 8) }
  /// The hypervisor's own page, shared with the owner and outside its reservation.
  @inlinable public static var shared: Self { Self(rawValue: 16) }
  /// Under validation by the call that runs: not to be had as anything else, nor to be undone.
  @inlinable public static var active: Self { Self(rawValue: 32) }
  /// On the way between memory and a table, in one direction or the other.
  @inlinable public static var inTransit: Self { [.validating, .tearing, .active] }
}

/// The state of one frame of RAM, 24 bytes.
///
/// Counts:
///
///     references   reservation (allocated or shared) + pin + validating/tearing
///                  + each present entry of a validated table that names the frame
///                  + each base pointer, descriptor table, part of a mapped grant
///     typeUses     pin + each writable last-level entry, each entry of the next level, each base
///                  pointer or descriptor table, part of a grant mapped to write; 1 for a shared
///                  page, for ever
///
/// Each use comes with a reference. A table with a use is validated; one without is plain memory,
/// or on its way to one state or the other (validating, tearing). An entry of a table for its own
/// frame counts nothing.
public struct FrameRecord: Sendable {
  /// How many reasons there are not to free the frame.
  ///
  /// 0: free, or the hypervisor's.
  public var references: UInt32
  /// How many uses there are of the type.
  public var typeUses: UInt32
  /// TLB clock when the type or the frame was last given up.
  public var stamp: UInt32
  /// Next frame of the free or teardown list; `endOfList` at the end.
  public var next: UInt32
  /// Whose frame it is.
  public var owner: DomainID
  /// How many entries from index 0 are accounted for, while validating or tearing.
  public var progress: UInt16
  /// Entries of this table that name a table of the same level, less entries of others that name
  /// this one so.
  ///
  /// Both at once never happen, so the sum tells them apart.
  public var linear: Int16
  /// Type of the uses; where there are none, the last one.
  public var type: FrameType
  /// Flags.
  public var flags: FrameFlags

  /// A list's end in `next`.
  @inlinable public static var endOfList: UInt32 { .max }
  /// A count is never taken above this, so that it cannot wrap round.
  @inlinable public static var countLimit: UInt32 { 1 << 31 }

  /// A frame that is the hypervisor's, or none at all.
  public init(owner: DomainID) {
    references = 0
    typeUses = 0
    stamp = 0
    next = Self.endOfList
    self.owner = owner
    progress = 0
    linear = 0
    type = .none
    flags = []
  }
}
