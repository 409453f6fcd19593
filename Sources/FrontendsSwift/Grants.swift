// Grants, version 1: pages of this domain that backends may reach, and their way back. Free references
// form a list in a private array beside the table; nothing of the list is in the shared table, whose
// entries Xen changes as backends map and unmap.
//
// A backend may keep a page mapped for ever. Then neither reference nor page is used again: they wait
// in a queue, of which each retry looks at a few, so that no backend makes us spin.

import CXenABI
import Synchronization

private let reserved: UInt32 = 8
private let framesMax: UInt32 = 64
private let retriesPerCall: UInt32 = 64
private let exchangesPerTry = 8

/// The grant table.
public final class Grants<OS: PortingLayer> {
  private struct Shadow {
    /// Of the free list, or of the queue of deferred ones.
    var next: UInt32 = Grants.none
    /// That goes with a deferred one.
    var page: UnsafeMutableRawPointer?
  }

  /// Never a reference: entries below 8 belong to the toolstack.
  public static var none: UInt32 { 0 }

  private var table: UnsafeMutablePointer<grant_entry_v1>?
  private var shadows: [Shadow] = []
  private var frameCount: UInt32 = 0
  private var firstFree = Grants.none
  private var firstDeferred = Grants.none
  private var lastDeferred = Grants.none

  /// Entries in use, and those of them that wait for the other domain to let go.
  public private(set) var used: UInt32 = 0
  public private(set) var deferred: UInt32 = 0

  /// No table yet.
  public init() {}

  /// Sets up a table of version 1 with so many frames of 512 entries, or fewer if Xen has fewer.
  public func start(frames: UInt32) throws(Failure) {
    var query = gnttab_query_size()
    query.dom = UInt16(DOMID_SELF)
    let result = OS.grantOperation(Int32(GNTTABOP_query_size), &query, 1)
    if result != 0 { throw Failure(Int32(truncatingIfNeeded: result)) }
    if Int32(query.status) != GNTST_okay { throw Failure(XEN_EIO) }
    frameCount = min(frames, framesMax, query.max_nr_frames)
    let perFrame = UInt32(pageSize / MemoryLayout<grant_entry_v1>.size)
    let entries = frameCount * perFrame
    if entries <= reserved { throw Failure(XEN_ENOSPC) }
    try mapTable()
    shadows = Array(repeating: Shadow(), count: Int(entries))
    for reference in reserved..<entries - 1 { shadows[Int(reference)].next = reference + 1 }
    firstFree = reserved
    firstDeferred = Grants.none
    lastDeferred = Grants.none
    used = 0
    deferred = 0
  }

  /// After a resume: the table is empty, and every grant of before is void.
  public func resume() throws(Failure) { try mapTable() }

  private func mapTable() throws(Failure) {
    // A boot loader may have left another version; where Xen knows only one, that is it.
    var version = gnttab_set_version(version: 1)
    _ = OS.grantOperation(Int32(GNTTABOP_set_version), &version, 1)
    var frames = [xen_pfn_t](repeating: 0, count: Int(frameCount))
    var setup = gnttab_setup_table()
    setup.dom = UInt16(DOMID_SELF)
    setup.nr_frames = frameCount
    let result = frames.withUnsafeMutableBufferPointer { list in
      setup.frame_list = list.baseAddress
      return OS.grantOperation(Int32(GNTTABOP_setup_table), &setup, 1)
    }
    if result != 0 { throw Failure(Int32(truncatingIfNeeded: result)) }
    if Int32(setup.status) != GNTST_okay { throw Failure(XEN_EIO) }
    let mapped = frames.withUnsafeBufferPointer { OS.map($0) }
    guard let mapped else { throw Failure(XEN_ENOMEM) }
    // SAFETY: frameCount pages of entries are mapped there until the next resume.
    table = mapped.assumingMemoryBound(to: grant_entry_v1.self)
  }

  /// Grants a page to a domain; `nil`: the table is full, or the frame's number is too large.
  ///
  /// Any context.
  public func grant(
    _ page: UnsafeMutableRawPointer, to domain: UInt16, readOnly: Bool
  ) -> UInt32? {
    let reference = firstFree
    guard reference != Grants.none, let table,
      let frame = UInt32(exactly: OS.frame(page))
    else { return nil }
    firstFree = shadows[Int(reference)].next
    shadows[Int(reference)] = Shadow()
    used += 1
    table[Int(reference)].domid = domain
    table[Int(reference)].frame = frame
    // The entry is live with this store, so that the frame must be there before.
    let flags = UInt16(GTF_permit_access) | (readOnly ? UInt16(GTF_readonly) : 0)
    withFlags(reference, table) { $0.pointee.store(flags, ordering: .releasing) }
    return reference
  }

  private func withFlags<Result>(
    _ reference: UInt32, _ table: UnsafeMutablePointer<grant_entry_v1>,
    _ body: (UnsafeMutablePointer<Atomic<UInt16>>) -> Result
  ) -> Result {
    // SAFETY: references are below the number of entries; the flags stand at an entry's start, and
    // Atomic has the layout of what it holds.
    body(UnsafeMutableRawPointer(table + Int(reference)).assumingMemoryBound(to: Atomic.self))
  }

  /// Takes the entry away unless it is in use.
  ///
  /// Xen sets the use bits while we look: exchange.
  private func endEntry(_ reference: UInt32) -> Bool {
    guard let table else { return true }
    let ended = withFlags(reference, table) { flags in
      var seen = flags.pointee.load(ordering: .acquiring)
      // A backend that maps and unmaps all the time could keep an endless loop from its end.
      for _ in 0..<exchangesPerTry {
        if seen & UInt16(GTF_reading | GTF_writing) != 0 { return false }
        let answer = flags.pointee.compareExchange(
          expected: seen, desired: 0, ordering: .sequentiallyConsistent)
        if answer.exchanged { return true }
        seen = answer.original
      }
      return false
    }
    guard ended else { return false }
    shadows[Int(reference)].next = firstFree
    firstFree = reference
    used -= 1
    return true
  }

  private func deferEntry(_ reference: UInt32, _ page: UnsafeMutableRawPointer?) {
    shadows[Int(reference)] = Shadow(next: Grants.none, page: page)
    if lastDeferred == Grants.none {
      firstDeferred = reference
    } else {
      shadows[Int(lastDeferred)].next = reference
    }
    lastDeferred = reference
    deferred += 1
  }

  /// Ends a grant.
  ///
  /// True: the page is ours alone.
  ///
  /// False: the other domain has it mapped; the entry stays as it is, the page has been taken over, and
  /// both come back when it lets go, the page by `freePages`. The caller forgets the page. Any context.
  public func end(_ reference: UInt32, _ page: UnsafeMutableRawPointer?) -> Bool {
    if reference == Grants.none || endEntry(reference) { return true }
    deferEntry(reference, page)
    return false
  }

  /// The same where the page is not needed any more: it is freed now or later.
  ///
  /// Driver context.
  public func endAndFree(_ reference: UInt32, _ page: UnsafeMutableRawPointer?) {
    if end(reference, page), let page { OS.freePages(page, 1) }
  }

  /// Tries some of those again that were mapped.
  ///
  /// Driver context; `Bus.poll` calls it.
  public func retry() {
    for _ in 0..<min(deferred, retriesPerCall) {
      let reference = firstDeferred
      let shadow = shadows[Int(reference)]
      firstDeferred = shadow.next
      if firstDeferred == Grants.none { lastDeferred = Grants.none }
      deferred -= 1
      // Goes to the queue's end if it is still mapped.
      endAndFree(reference, shadow.page)
    }
  }
}
