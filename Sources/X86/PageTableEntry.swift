// Page-table entries of long mode as values. The manual is Intel's SDM volume 3, 4.5, and AMD's APM
// volume 2, 5.3. Nothing here touches a table.

/// Flags of a page-table entry.
public struct EntryFlags: OptionSet, Hashable, Sendable {
  /// The bits, at their places in the entry.
  public var rawValue: UInt64

  /// The flags with these bits.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The entry maps something (P).
  @inlinable public static var present: Self { Self(rawValue: 1 << 0) }
  /// Writes are allowed (R/W).
  @inlinable public static var writable: Self { Self(rawValue: 1 << 1) }
  /// Ring 3 has access (U/S).
  @inlinable public static var user: Self { Self(rawValue: 1 << 2) }
  /// Write-through (PWT).
  @inlinable public static var writeThrough: Self { Self(rawValue: 1 << 3) }
  /// Caching disabled (PCD).
  @inlinable public static var cacheDisabled: Self { Self(rawValue: 1 << 4) }
  /// Set by the processor when the entry is used (A).
  @inlinable public static var accessed: Self { Self(rawValue: 1 << 5) }
  /// Set by the processor on a write through a last-level entry (D).
  @inlinable public static var dirty: Self { Self(rawValue: 1 << 6) }
  /// In levels 2 and 3: a large page (PS).
  @inlinable public static var large: Self { Self(rawValue: 1 << 7) }
  /// In level 1: the upper index bit of the page attribute table (PAT).
  @inlinable public static var attributeTable: Self { Self(rawValue: 1 << 7) }
  /// Kept in the TLB over a load of CR3 (G).
  @inlinable public static var global: Self { Self(rawValue: 1 << 8) }
  /// Bit 52, which processors ignore: Xen's mark of a guest kernel's page.
  @inlinable public static var guestKernel: Self { Self(rawValue: 1 << 52) }
  /// No instruction fetch (NX).
  @inlinable public static var noExecute: Self { Self(rawValue: 1 << 63) }
}

/// One entry of a page table of any level.
public struct PageTableEntry: Hashable, Sendable {
  /// The 64 bits.
  public var rawValue: UInt64

  /// Wraps the bits of an entry.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// An entry that maps a frame.
  @inlinable public init(frameNumber: UInt64, flags: EntryFlags) {
    rawValue = (frameNumber << 12) & Self.frameMask | flags.rawValue & ~Self.frameMask
  }

  /// Bits 51 to 12, which hold the frame's address.
  @inlinable public static var frameMask: UInt64 { 0x000f_ffff_ffff_f000 }

  /// The entry that maps nothing.
  @inlinable public static var empty: Self { Self(rawValue: 0) }

  /// The number of the frame that the entry names.
  @inlinable public var frameNumber: UInt64 { (rawValue & Self.frameMask) >> 12 }

  /// All bits that do not name the frame.
  @inlinable public var flags: EntryFlags {
    get { EntryFlags(rawValue: rawValue & ~Self.frameMask) }
    set { rawValue = rawValue & Self.frameMask | newValue.rawValue & ~Self.frameMask }
  }

  /// Whether the entry maps something.
  @inlinable public var isPresent: Bool { rawValue & 1 != 0 }
  /// Whether writes go through it.
  @inlinable public var isWritable: Bool { rawValue & 2 != 0 }
}
