// The words of a grant table that the guest and the hypervisor share. The guest changes them at any
// time; an entry is looked at and marked in one step, or looked at again after it was marked.
//
//     version 1   | frame 32 | domain 16 | flags 16 |      marks are bits of the flags
//     version 2   | by type 32 | domain 16 | flags 16 |    marks are in the status words
//                 | frame 64                          |

import CXenABI

/// What an entry grants.
struct GrantedRange {
  /// The frame, as the guest wrote it.
  var frame: MachineFrame
  /// First byte.
  var start = 0
  /// Behind the last byte.
  var end = 4096
  /// A transitive entry: the domain and the reference that it passes on.
  var next: (domain: DomainID, reference: GrantReference)?
}

/// Why a grant cannot be had.
enum GrantError: Error {
  /// The ABI's number, negative.
  case status(Int32)
  /// Other work waits: the same element again.
  case preempted
}

extension Hypervisor {
  /// Attempts at an entry that changes all the time.
  private var attempts: Int { 8 }

  /// Checks that an entry grants a domain access, and marks it as in use.
  ///
  /// A guest could change the entry between the check and the mark: version 1 exchanges the very word
  /// that was checked, version 2 checks again after the mark.
  func markGrant(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>, for user: DomainID, isWritable: Bool,
    isCopy: Bool
  ) throws(GrantError) -> GrantedRange {
    let marks = UInt64(isWritable ? GTF_reading | GTF_writing : GTF_reading)
    let words = grantWords(index, state)
    if state.pointee.version == 1 {
      var found = snapshot(words)
      for _ in 0..<attempts {
        try check(found, for: user, isWritable: isWritable)
        guard found & UInt64(GTF_type_mask) == UInt64(GTF_permit_access) else {
          throw .status(GNTST_general_error)
        }
        let seen = machine.compareExchange(words, expected: found, desired: found | marks)
        if seen == found { return GrantedRange(frame: MachineFrame(found >> 32)) }
        found = seen
      }
      throw .status(GNTST_general_error)
    }
    let head = snapshot(words)
    try check(head, for: user, isWritable: isWritable)
    let range = try range(head, words, isCopy: isCopy)
    _ = changeStatus(index, state) { $0 | marks }
    guard snapshot(words) == head else {
      unmarkGrant(index, state, clearing: marks)
      throw .status(GNTST_general_error)
    }
    return range
  }

  /// Marks an entry without a look at it.
  func setGrantMarks(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>, _ marks: UInt64
  ) {
    if state.pointee.version == 1 {
      _ = change(grantWords(index, state)) { $0 | marks }
    } else {
      _ = changeStatus(index, state) { $0 | marks }
    }
  }

  /// Takes marks off an entry.
  func unmarkGrant(_ index: Int, _ state: UnsafeMutablePointer<GrantState>, clearing marks: UInt64)
  {
    if state.pointee.version == 1 {
      _ = change(grantWords(index, state)) { $0 & ~marks }
    } else {
      _ = changeStatus(index, state) { $0 & ~marks }
    }
  }

  /// The words of an entry below the count.
  func grantWords(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>
  ) -> UnsafeMutablePointer<UInt64> {
    let perFrame = GrantTable.entriesPerFrame(version: state.pointee.version)
    let frame = MachineFrame(UInt64(state.pointee.frames[index / perFrame]))
    return machine.words(of: frame) + index % perFrame * Int(state.pointee.version)
  }

  /// Reads a word that the guest may be changing, exactly once.
  func snapshot(_ word: UnsafeMutablePointer<UInt64>) -> UInt64 {
    machine.compareExchange(word, expected: 0, desired: 0)
  }

  /// Rules of both versions and all types.
  private func check(
    _ head: UInt64, for user: DomainID, isWritable: Bool
  ) throws(GrantError) {
    let type = Int32(truncatingIfNeeded: head) & GTF_type_mask
    guard type == GTF_permit_access || type == GTF_transitive,
      DomainID(UInt16(truncatingIfNeeded: head >> 16)) == user,
      !isWritable || head & UInt64(GTF_readonly) == 0
    else { throw .status(GNTST_general_error) }
  }

  /// What an entry of version 2 grants.
  private func range(
    _ head: UInt64, _ words: UnsafeMutablePointer<UInt64>, isCopy: Bool
  ) throws(GrantError) -> GrantedRange {
    let second = snapshot(words + 1)
    if head & UInt64(GTF_type_mask) == UInt64(GTF_transitive) {
      guard isCopy else { throw .status(GNTST_general_error) }
      var range = GrantedRange(frame: MachineFrame(0))
      range.next = (
        DomainID(UInt16(truncatingIfNeeded: head >> 32)),
        GrantReference(UInt32(truncatingIfNeeded: second))
      )
      return range
    }
    guard head & UInt64(GTF_sub_page) != 0 else { return GrantedRange(frame: MachineFrame(second)) }
    guard isCopy else { throw .status(GNTST_general_error) }
    let start = Int(head >> 32 & 0xffff)
    // A guest could let its range leave the page; the copy's own bounds still hold.
    return GrantedRange(
      frame: MachineFrame(second), start: start, end: min(start + Int(head >> 48), 4096))
  }

  /// Changes the status word of an entry of version 2.
  private func changeStatus(
    _ index: Int, _ state: UnsafeMutablePointer<GrantState>, _ edit: (UInt64) -> UInt64
  ) -> UInt64 {
    let frame = state.pointee.statusFrames[index / GrantTable.statusPerFrame]
    let place = index % GrantTable.statusPerFrame
    let shift = UInt64(place % 4) * 16
    return change(machine.words(of: MachineFrame(UInt64(frame))) + place / 4) {
      $0 & ~(0xffff << shift) | (edit($0 >> shift & 0xffff) & 0xffff) << shift
    }
  }
}
