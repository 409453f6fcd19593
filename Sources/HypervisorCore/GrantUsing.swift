// Using an entry of another domain's table, for a mapping or for the time of a copy. Each use holds a
// reference to the frame, and a writable use if it may write; so the frame is neither freed nor made
// a page table meanwhile, whatever becomes of its owner.

import CXenABI

/// How an entry is used: the index of its count in `GrantUse`.
struct GrantKind {
  /// The number.
  var rawValue: Int

  /// Bit 0 stands for devices, bit 1 for writing.
  init(isDevice: Bool, isWritable: Bool) {
    rawValue = (isDevice ? 1 : 0) | (isWritable ? 2 : 0)
  }

  var isWritable: Bool { rawValue & 2 != 0 }
  /// Uses of a kind that one entry can have, as on stock Xen.
  static var limit: UInt8 { 128 }
}

/// An entry in use.
struct UsedGrant {
  /// What was granted; the frame is a domain's and referenced.
  var range: GrantedRange
  /// Whose entry.
  var granter: DomainPointer
  /// Which.
  var reference: GrantReference
  /// How.
  var kind: GrantKind
}

extension Hypervisor {
  /// Begins a use of an entry.
  ///
  /// The caller names any domain and any number. A transitive entry is marked, but holds no frame: the
  /// caller follows it.
  func useGrant(
    _ reference: GrantReference, of granter: DomainPointer, by user: DomainID, as kind: GrantKind,
    isCopy: Bool = false
  ) throws(GrantError) -> UsedGrant {
    // Memory for the table, or for the record of its uses, is had alone.
    if !hasGrantUse(reference, of: granter) { try requireAllForGrant() }
    let state: UnsafeMutablePointer<GrantState>
    do throws(HypercallError) { state = try grants(of: granter) } catch {
      throw .status(GNTST_general_error)
    }
    guard reference.rawValue < UInt32(truncatingIfNeeded: state.pointee.entryCount) else {
      throw .status(GNTST_bad_gntref)
    }
    let index = Int(reference.rawValue)
    guard let use = grantUse(index, state) else { throw .status(GNTST_general_error) }
    let isFirst = use.pointee.total == 0
    guard isFirst || use.pointee.user == user, use.pointee.counts[kind.rawValue] < GrantKind.limit
    else { throw .status(GNTST_general_error) }
    var range = GrantedRange(frame: MachineFrame(UInt64(use.pointee.frame)))
    if isFirst || kind.isWritable && use.pointee.writers == 0 {
      let found = try markGrant(
        index, state, for: user, isWritable: kind.isWritable, isCopy: isCopy)
      if isFirst {
        range = found
      } else if found.next != nil {
        settleGrant(index, state, use)
        throw .status(GNTST_general_error)
      }
    }
    if range.next == nil {
      do { try hold(range.frame, of: granter, isWritable: kind.isWritable) } catch {
        settleGrant(index, state, use)
        throw error
      }
    }
    if isFirst {
      use.pointee.user = user
      use.pointee.frame = UInt32(truncatingIfNeeded: range.frame.number)
      state.pointee.usedCount += 1
    }
    use.pointee.counts[kind.rawValue] += 1
    return UsedGrant(range: range, granter: granter, reference: reference, kind: kind)
  }

  /// `requireAll` for what concerns grants.
  func requireAllForGrant() throws(GrantError) {
    do throws(MemoryError) { try requireAll() } catch { throw .preempted }
  }

  /// Ends a use.
  func endUse(_ grant: UsedGrant) {
    endUse(
      grant.reference, of: grant.granter, as: grant.kind,
      frame: grant.range.next == nil ? grant.range.frame : nil)
  }

  /// Ends a use of a frame, or of a transitive entry.
  ///
  /// An owner that is dying has no table any more, and nothing is left to mark there.
  func endUse(
    _ reference: GrantReference, of granter: DomainPointer, as kind: GrantKind,
    frame: MachineFrame?
  ) {
    if let state = granter.pointee.grants, Int(reference.rawValue) < state.pointee.entryCount,
      let use = grantUse(Int(reference.rawValue), state)
    {
      precondition(use.pointee.counts[kind.rawValue] > 0, "Grant's uses below zero")
      use.pointee.counts[kind.rawValue] -= 1
      if use.pointee.total == 0 {
        state.pointee.usedCount -= 1
        if let frame { granter.pointee.rings.forget(frame) }
        if let frame, isTorn(Int(reference.rawValue), state, use) {
          state.pointee.tornCount &+= 1
          state.pointee.tornFrame = state.pointee.tornFrame ?? frame
        }
      }
      settleGrant(Int(reference.rawValue), state, use)
    }
    guard let frame else { return }
    if kind.isWritable { dropType(of: frame) }
    dropReference(to: frame)
  }

  /// Marks an entry again whose words were written anew.
  func remarkGrant(_ index: Int, _ state: UnsafeMutablePointer<GrantState>) {
    guard isGrantUsed(index, state), let use = grantUse(index, state) else { return }
    let marks = use.pointee.writers > 0 ? GTF_reading | GTF_writing : GTF_reading
    setGrantMarks(index, state, UInt64(marks))
  }

  /// Takes off the marks that no use asks for any more.
  private func settleGrant(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>, _ use: UnsafeMutablePointer<GrantUse>
  ) {
    if use.pointee.writers > 0 { return }
    let marks = use.pointee.total == 0 ? GTF_reading | GTF_writing : GTF_writing
    unmarkGrant(index, state, clearing: UInt64(marks))
  }

  /// Takes a reference, and for a writer a writable use, of a frame that its owner names.
  func hold(
    _ frame: MachineFrame, of owner: DomainPointer, isWritable: Bool
  ) throws(GrantError) {
    guard takeReference(to: frame, ownedBy: owner.pointee.id) else {
      throw .status(GNTST_bad_page)
    }
    do throws(MemoryError) {
      guard isWritable else { return }
      do throws(MemoryError) { try takeType(.writable, of: frame, in: owner) } catch {
        dropReference(to: frame)
        throw error
      }
    } catch {
      guard error == .preempted else { throw .status(GNTST_general_error) }
      // The frame was a table of the owner's a moment ago.
      do throws(MemoryError) { try drain(owner) } catch {}
      throw .preempted
    }
  }
}
