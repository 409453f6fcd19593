// Numbers of domains, apart from other numbers.

import XenABI

/// The number of a domain.
public struct DomainID: Hashable, Sendable {
  /// The number in the ABI.
  public let rawValue: UInt16

  /// A domain by its number.
  public init(_ rawValue: UInt16) { self.rawValue = rawValue }

  /// The control domain, which may do everything.
  public static var control: DomainID { DomainID(0) }

  /// A domain by the digits that name it.
  public init?(_ text: Bytes) {
    guard let number = text.decimal, number < UInt64(Xen.Domid.firstReserved) else {
      return nil
    }
    self.init(UInt16(truncatingIfNeeded: number))
  }
}
