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
  /// What that entry grants.
  public internal(set) var firstFrame: MachineFrame?
  /// Grants that the domain has ended while somebody used them.
  public internal(set) var torn = 0
  /// What the first of those that are known granted.
  public internal(set) var tornFrame: MachineFrame?
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
    balance.torn = state.pointee.tornCount
    balance.tornFrame = state.pointee.tornFrame
    for index in min(GrantTable.reservedCount, state.pointee.entryCount)..<state.pointee.entryCount
    {
      let type = snapshot(grantWords(index, state)) & UInt64(GTF_type_mask)
      if isGrantUsed(index, state), let use = grantUse(index, state), isTorn(index, state, use) {
        balance.torn += 1
        balance.tornFrame = balance.tornFrame ?? MachineFrame(UInt64(use.pointee.frame))
      }
      guard type == UInt64(GTF_permit_access) || type == UInt64(GTF_transitive) else { continue }
      balance.granted += 1
      if isGrantUsed(index, state) { balance.used += 1 }
      if balance.first == nil {
        balance.first = UInt32(truncatingIfNeeded: index)
        balance.firstFrame = grantedFrame(index, state)
      }
    }
    for handle in 0..<state.pointee.handleFrames * GrantTable.recordsPerFrame {
      let mapping = grantMapping(UInt32(truncatingIfNeeded: handle), of: domain)
      if let mapping, mapping.pointee.parts != 0 { balance.mapped += 1 }
    }
    return balance
  }

  /// Whether a used entry grants no more what its users have: the guest has ended it, or granted
  /// another page by it, and the one that it takes for its own again is written to by others.
  func isTorn(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>, _ use: UnsafeMutablePointer<GrantUse>
  ) -> Bool {
    let type = snapshot(grantWords(index, state)) & UInt64(GTF_type_mask)
    if type == UInt64(GTF_invalid) { return true }
    guard type == UInt64(GTF_permit_access) else { return false }
    return grantedFrame(index, state) != MachineFrame(UInt64(use.pointee.frame))
  }

  /// The frame that an entry names.
  private func grantedFrame(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>
  ) -> MachineFrame {
    let words = grantWords(index, state)
    return MachineFrame(
      state.pointee.version == 1 ? snapshot(words) >> 32 : snapshot(words + 1))
  }
}
