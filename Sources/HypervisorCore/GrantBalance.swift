// What a domain has not taken back or given back when it ends. A port that forgets to end a grant loses
// a page for as long as it runs, and nothing else tells.

import CXenABI

/// Grants that are left over.
public struct GrantBalance: Equatable {
  /// Entries that still grant something, those that the toolstack fills in left out.
  public internal(set) var granted = 0
  /// Of these, how many somebody uses.
  public internal(set) var used = 0
  /// The first of these entries; nil where there is none.
  public internal(set) var first: UInt32?
  /// Grants of others that the domain has mapped.
  public internal(set) var mapped = 0

  /// Nothing is left.
  public init() {}
}

extension Hypervisor {
  /// Counts what a domain has left over.
  ///
  /// The guest may be changing its table meanwhile; each word is read once, and nothing is done by it.
  public func grantBalance(of domain: DomainPointer) -> GrantBalance {
    var balance = GrantBalance()
    guard let state = domain.pointee.grants else { return balance }
    for index in min(GrantTable.reservedCount, state.pointee.entryCount)..<state.pointee.entryCount
    {
      let type = snapshot(grantWords(index, state)) & UInt64(GTF_type_mask)
      guard type == UInt64(GTF_permit_access) || type == UInt64(GTF_transitive) else { continue }
      balance.granted += 1
      if isGrantUsed(index, state) { balance.used += 1 }
      if balance.first == nil { balance.first = UInt32(truncatingIfNeeded: index) }
    }
    for handle in 0..<state.pointee.handleFrames * GrantTable.recordsPerFrame {
      let mapping = grantMapping(UInt32(truncatingIfNeeded: handle), of: domain)
      if let mapping, mapping.pointee.parts != 0 { balance.mapped += 1 }
    }
    return balance
  }
}
