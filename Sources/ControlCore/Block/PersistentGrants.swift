// Pages that stay mapped from one request to the next, for guests that use the same grants again. A
// guest decides which references it names, so their number has a limit: above it the page that was
// not used for the longest time is unmapped.

/// A page that a request uses.
struct HeldPage {
  var page: MappedPage
  /// Its place among those that stay mapped; negative where the mapping ends with the request.
  var place: Int16
}

/// The pages of one queue that stay mapped.
struct PersistentGrants<Grants: GrantAccess> {
  private struct Entry {
    var reference: GrantReference
    var page: MappedPage
    var users = 0
    var lastUse: UInt64 = 0
  }

  /// References from here on are never kept: a table of grants is not that long, and this bounds what
  /// a guest makes us remember.
  private static var referenceLimit: Int { 1 << 16 }
  private let grants: Grants
  private let domain: DomainID
  private let limit: Int
  private var entries: [Entry?] = []
  private var free: [Int16] = []
  /// By reference: the place of its entry, or -1.
  private var places: [Int16] = []
  private var clock: UInt64 = 0

  /// An empty cache; a limit of 0 maps each page for its request only.
  init(grants: Grants, domain: DomainID, limit: Int) {
    self.grants = grants
    self.domain = domain
    self.limit = min(limit, Int(Int16.max))
  }

  /// Pages that are mapped and kept.
  var count: Int { entries.count - free.count }

  /// Gets the pages of a request; false, and none held, if a reference is not good for it.
  ///
  /// Pages that stay are mapped writable, since the next request may be a read.
  mutating func acquire(
    _ segments: ReusedList<BlkifSegment>, isWritable: Bool, into held: inout ReusedList<HeldPage>
  ) -> Bool {
    held.removeAll()
    guard limit > 0 else {
      let references = segments.indices.map { segments[$0].reference }
      guard
        let pages = grants.map(
          references, of: domain, isWritable: isWritable, isConsecutive: false),
        pages.count == references.count
      else { return false }
      for page in pages { held.append(HeldPage(page: page, place: -1)) }
      return true
    }
    clock += 1
    for index in segments.indices {
      let reference = segments[index].reference
      let number = Int(truncatingIfNeeded: reference.rawValue)
      let known = number < places.count ? places[number] : -1
      if known >= 0, let page = entries[Int(known)]?.page {
        entries[Int(known)]?.users += 1
        entries[Int(known)]?.lastUse = clock
        held.append(HeldPage(page: page, place: known))
        continue
      }
      guard
        let page = grants.map([reference], of: domain, isWritable: true, isConsecutive: false)?
          .first
      else {
        release(&held)
        return false
      }
      held.append(HeldPage(page: page, place: keep(page, as: reference)))
    }
    return true
  }

  /// Enters a page that one request uses; -1 where there is no place for it.
  private mutating func keep(_ page: MappedPage, as reference: GrantReference) -> Int16 {
    let number = Int(truncatingIfNeeded: reference.rawValue)
    guard number < Self.referenceLimit, let place = makeRoom() else { return -1 }
    while places.count <= number { places.append(-1) }
    places[number] = place
    entries[Int(place)] = Entry(reference: reference, page: page, users: 1, lastUse: clock)
    return place
  }

  /// A place for one more page, if need be that of the oldest that no request uses.
  private mutating func makeRoom() -> Int16? {
    if let place = free.popLast() { return place }
    if entries.count < limit {
      entries.append(nil)
      return Int16(entries.count - 1)
    }
    var oldest: (place: Int, lastUse: UInt64)?
    for place in entries.indices {
      guard let entry = entries[place], entry.users == 0 else { continue }
      if oldest.map({ entry.lastUse < $0.lastUse }) ?? true { oldest = (place, entry.lastUse) }
    }
    guard let place = oldest?.place, let entry = entries[place] else { return nil }
    forget(entry)
    return Int16(place)
  }
  private mutating func forget(_ entry: Entry) {
    places[Int(entry.reference.rawValue)] = -1
    grants.unmap([entry.page])
  }

  /// Gives the pages of a request back.
  mutating func release(_ held: inout ReusedList<HeldPage>) {
    var ended: [MappedPage] = []
    for index in held.indices {
      let one = held[index]
      if one.place >= 0 {
        entries[Int(one.place)]?.users -= 1
      } else {
        ended.append(one.page)
      }
    }
    held.removeAll()
    if !ended.isEmpty { grants.unmap(ended) }
  }

  /// Unmaps everything; no request is in flight any more.
  mutating func removeAll() {
    let pages = entries.compactMap { $0?.page }
    entries = []
    free = []
    places = []
    if !pages.isEmpty { grants.unmap(pages) }
  }
}
