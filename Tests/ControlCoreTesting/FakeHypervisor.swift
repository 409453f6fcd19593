// Guests made of arrays: their pages, what they have granted, their ports. Everything that is mapped
// or bound is counted, so that a test can tell what was left behind.

public import ControlCore

/// A guest's memory and grants.
public final class FakeGuest {
  /// Its number.
  public let domain: DomainID
  /// Its pages.
  public let pageCount: Int
  /// The first of them.
  public let memory: UnsafeMutableRawPointer
  /// What it has granted: page and whether it may be written.
  public var grants: [UInt32: (page: Int, isWritable: Bool)] = [:]
  /// Ports that it has allocated for the control domain.
  public var ports: Set<UInt32> = []
  private var nextReference: UInt32 = 8

  /// A guest with so many pages of zeros.
  public init(_ domain: UInt16, pages: Int) {
    self.domain = DomainID(domain)
    pageCount = pages
    memory = .allocate(byteCount: pages * pageSize, alignment: pageSize)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: pages * pageSize)
  }

  deinit { memory.deallocate() }

  /// The address of a page.
  public func address(_ page: Int) -> UnsafeMutableRawPointer {
    precondition(page < pageCount)
    return memory + page * pageSize
  }

  /// Grants a page.
  public func grant(_ page: Int, isWritable: Bool = true) -> GrantReference {
    defer { nextReference += 1 }
    grants[nextReference] = (page, isWritable)
    return GrantReference(nextReference)
  }
}

/// Answers for the hypercalls of a control domain.
public final class FakeHypervisor: GrantAccess, EventAccess {
  private var guests: [DomainID: FakeGuest] = [:]
  private var mappings: [UInt32: (guest: FakeGuest, reference: UInt32)] = [:]
  private var nextHandle: UInt32 = 1
  private var bindings: [EventPort: UInt32] = [:]
  /// Events that were sent, by our port.
  public private(set) var events: [EventPort: Int] = [:]
  /// Mappings made since the beginning.
  public private(set) var mapCount = 0

  /// No guests.
  public init() {}

  /// Adds a guest.
  public func add(_ guest: FakeGuest) { guests[guest.domain] = guest }

  /// Pages that are mapped.
  public var mappedCount: Int { mappings.count }
  /// Ports that are bound.
  public var boundCount: Int { bindings.count }

  /// How often a page of a guest is mapped.
  public func mappedCount(of reference: GrantReference) -> Int {
    mappings.values.filter { $0.reference == reference.rawValue }.count
  }

  public func map(
    _ references: [GrantReference], of domain: DomainID, isWritable: Bool, isConsecutive: Bool
  ) -> [MappedPage]? {
    guard let guest = guests[domain] else { return nil }
    var pages: [MappedPage] = []
    for reference in references {
      guard let grant = guest.grants[reference.rawValue], grant.isWritable || !isWritable else {
        unmap(pages)
        return nil
      }
      if isConsecutive, let first = pages.first {
        precondition(
          guest.address(grant.page) == first.address + pages.count * pageSize,
          "a test's ring pages lie side by side")
      }
      mapCount += 1
      mappings[nextHandle] = (guest, reference.rawValue)
      pages.append(
        MappedPage(
          address: guest.address(grant.page), machine: UInt64(grant.page * pageSize),
          handle: nextHandle))
      nextHandle += 1
    }
    return pages
  }

  public func unmap(_ pages: [MappedPage]) {
    for page in pages {
      precondition(mappings.removeValue(forKey: page.handle) != nil, "unmapped twice")
    }
  }

  public func copy(_ pieces: inout [GrantCopy], of domain: DomainID) {
    guard let guest = guests[domain] else { return }
    for index in pieces.indices {
      let piece = pieces[index]
      precondition(piece.offset >= 0 && piece.count >= 0 && piece.offset + piece.count <= pageSize)
      guard let grant = guest.grants[piece.reference.rawValue],
        grant.isWritable || !piece.isToGuest
      else { continue }
      let page = guest.address(grant.page) + piece.offset
      if piece.isToGuest {
        page.copyMemory(from: piece.local, byteCount: piece.count)
      } else {
        piece.local.copyMemory(from: page, byteCount: piece.count)
      }
      pieces[index].isDone = true
    }
  }

  public func bind(_ remote: UInt32, of domain: DomainID) -> EventPort? {
    guard let guest = guests[domain], guest.ports.contains(remote) else { return nil }
    let port = EventPort(remote + 1000 * UInt32(domain.rawValue))
    guard bindings[port] == nil else { return nil }
    bindings[port] = remote
    return port
  }

  public func unbind(_ port: EventPort) {
    precondition(bindings.removeValue(forKey: port) != nil, "unbound twice")
  }

  public func notify(_ port: EventPort) {
    precondition(bindings[port] != nil, "an event to nobody")
    events[port, default: 0] += 1
  }
}
