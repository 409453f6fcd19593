// A guest's pages, by the references that it has granted. The control domain answers these with
// GNTTABOP hypercalls; tests answer them with arrays.

/// Names a page that a guest has granted; an index of the guest's table, and never of ours.
public struct GrantReference: Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: UInt32
  /// A reference by its number.
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// Bytes of a page.
public var pageSize: Int { 4096 }

/// A guest's page, mapped here.
///
/// The guest can still write to it: what is read from it is copied before it is checked.
public struct MappedPage {
  /// Where it is mapped.
  public var address: UnsafeMutableRawPointer
  /// Where it is in the machine, for devices that read and write memory themselves.
  public var machine: UInt64
  /// What the mapping is ended by.
  public var handle: UInt32

  /// A mapped page.
  public init(address: UnsafeMutableRawPointer, machine: UInt64, handle: UInt32) {
    self.address = address
    self.machine = machine
    self.handle = handle
  }
}

/// One piece of a batch of copies between a guest's page and memory of our own.
public struct GrantCopy {
  /// The guest's page.
  public var reference: GrantReference
  /// First byte in it; offset and count together stay within the page.
  public var offset: Int
  /// Our memory, which may cross the ends of pages.
  public var local: UnsafeMutableRawPointer
  /// Bytes.
  public var count: Int
  /// Whether it goes to the guest.
  public var isToGuest: Bool
  /// Set by ``GrantAccess/copy(_:of:)`` where the bytes were copied.
  public var isDone = false

  /// A piece.
  public init(
    _ reference: GrantReference, offset: Int, local: UnsafeMutableRawPointer, count: Int,
    isToGuest: Bool
  ) {
    self.reference = reference
    self.offset = offset
    self.local = local
    self.count = count
    self.isToGuest = isToGuest
  }
}

/// How granted pages are reached.
public protocol GrantAccess {
  /// Maps pages of a guest: at consecutive addresses, for us; or for devices, which need no more than
  /// where they are in the machine.
  ///
  /// `nil` if any of them is refused; none stays mapped then.
  func map(
    _ references: [GrantReference], of domain: DomainID, isWritable: Bool, isConsecutive: Bool
  ) -> [MappedPage]?
  /// Ends mappings.
  func unmap(_ pages: [MappedPage])
  /// Copies each piece, or leaves its `isDone` false.
  func copy(_ pieces: inout [GrantCopy], of domain: DomainID)
}
