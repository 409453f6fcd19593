// Pages that stay mapped from one request to the next, for guests that use the same grants again. A
// guest decides which references it names, so their number has a limit: above it the page that was
// not used for the longest time is unmapped.

/// A page that a request uses.
struct HeldPage {
  var reference: GrantReference
  var page: MappedPage
  /// The mapping belongs to the cache and outlives the request.
  var isPersistent: Bool
}

/// The pages of one queue that stay mapped.
struct PersistentGrants<Grants: GrantAccess> {
  private struct Entry {
    var page: MappedPage
    var users = 0
    var lastUse: UInt64 = 0
  }

  private let grants: Grants
  private let domain: DomainID
  private let limit: Int
  private var entries: [GrantReference: Entry] = [:]
  private var clock: UInt64 = 0

  /// An empty cache; a limit of 0 maps each page for its request only.
  init(grants: Grants, domain: DomainID, limit: Int) {
    self.grants = grants
    self.domain = domain
    self.limit = limit
  }

  /// Pages that are mapped and kept.
  var count: Int { entries.count }

  /// Gets pages for a request; `nil` if a reference is not good for it.
  ///
  /// Pages that stay are mapped writable, since the next request may be a read.
  mutating func acquire(_ references: [GrantReference], isWritable: Bool) -> [HeldPage]? {
    var held: [HeldPage] = []
    held.reserveCapacity(references.count)
    guard limit > 0 else {
      guard
        let pages = grants.map(
          references, of: domain, isWritable: isWritable, isConsecutive: false),
        pages.count == references.count
      else { return nil }
      for (index, page) in pages.enumerated() {
        held.append(HeldPage(reference: references[index], page: page, isPersistent: false))
      }
      return held
    }
    for reference in references {
      clock += 1
      if var entry = entries[reference] {
        entry.users += 1
        entry.lastUse = clock
        entries[reference] = entry
        held.append(HeldPage(reference: reference, page: entry.page, isPersistent: true))
        continue
      }
      guard
        let page = grants.map([reference], of: domain, isWritable: true, isConsecutive: false)?
          .first
      else {
        release(held)
        return nil
      }
      let isPersistent = makeRoom()
      if isPersistent {
        entries[reference] = Entry(page: page, users: 1, lastUse: clock)
      }
      held.append(HeldPage(reference: reference, page: page, isPersistent: isPersistent))
    }
    return held
  }

  /// Whether there is room for one more page; unmaps the oldest that no request uses.
  private mutating func makeRoom() -> Bool {
    guard entries.count >= limit else { return true }
    var oldest: (reference: GrantReference, lastUse: UInt64)?
    for (reference, entry) in entries where entry.users == 0 {
      if oldest.map({ entry.lastUse < $0.lastUse }) ?? true { oldest = (reference, entry.lastUse) }
    }
    guard let oldest, let entry = entries.removeValue(forKey: oldest.reference) else {
      return false
    }
    grants.unmap([entry.page])
    return true
  }

  /// Gives the pages of a request back.
  mutating func release(_ held: [HeldPage]) {
    var ended: [MappedPage] = []
    for one in held {
      if one.isPersistent {
        entries[one.reference]?.users -= 1
      } else {
        ended.append(one.page)
      }
    }
    if !ended.isEmpty { grants.unmap(ended) }
  }

  /// Unmaps everything; no request is in flight any more.
  mutating func removeAll() {
    var pages: [MappedPage] = []
    for entry in entries.values { pages.append(entry.page) }
    entries = [:]
    if !pages.isEmpty { grants.unmap(pages) }
  }
}
