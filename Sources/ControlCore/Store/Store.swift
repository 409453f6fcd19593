// The store: a tree of text that domains and the control domain share.
//
//   StoreChannel (a guest's ring)  \
//                                   Store.handle  -> StoreRequests+… -> StoreTree, StoreTransaction
//   LocalStore (the control domain)/                                 -> StoreWatches -> StoreOutbox
//
// Everything runs to its end in one thread, and every step is bounded: by a message's 4096 bytes, by
// the quotas of the domain that asks, and by the tree that all quotas together allow.

/// The store's tree and those who use it.
public final class Store {
  /// Whether there is such a domain, introduced or not.
  ///
  /// None may be made the owner of a node before it is there. The control domain asks the hypervisor.
  public var domainExists: (DomainID) -> Bool = { _ in true }
  /// Limits for guests.
  public let quotas: StoreQuotas
  var nodes: [StorePath: StoreNode] = [:]
  /// Counts changes.
  var generation: UInt64 = 1
  /// Nodes that each domain owns.
  var owned: [DomainID: Int] = [:]
  /// Bytes of those nodes and their names.
  var ownedBytes: [DomainID: Int] = [:]
  var clients: [StoreClientID: StoreClient] = [:]
  private var nextClient: UInt32 = 1
  /// Domains that are known, the control domain left out.
  var introduced: Set<DomainID> = []

  /// A store with the nodes that xenstored makes at its start.
  public init(quotas: StoreQuotas = StoreQuotas()) {
    self.quotas = quotas
    let permissions = StorePermissions(owner: .control)
    var root = StoreNode(permissions: permissions)
    root.add(Bytes("tool"))
    var tool = StoreNode(permissions: permissions)
    tool.add(Bytes("xenstored"))
    put(root, at: .root, in: nil)
    put(tool, at: StorePath("/tool"), in: nil)
    put(StoreNode(permissions: permissions), at: StorePath("/tool/xenstored"), in: nil)
    put(StoreNode(permissions: permissions), at: .introduceDomain, in: nil)
    put(StoreNode(permissions: permissions), at: .releaseDomain, in: nil)
  }

  /// Adds a user.
  public func open(_ domain: DomainID) -> StoreClientID {
    let id = StoreClientID(number: nextClient)
    nextClient &+= 1
    clients[id] = StoreClient(domain: domain)
    return id
  }

  /// Takes a user away, with its watches and transactions.
  public func close(_ id: StoreClientID) { clients[id] = nil }

  /// Makes a domain known; watches of `@introduceDomain` fire.
  public func introduce(_ domain: DomainID) {
    if introduced.insert(domain).inserted { fire(StoreChange(path: .introduceDomain)) }
  }

  /// Forgets a domain; watches of `@releaseDomain` fire.
  ///
  /// Its nodes stay until the toolstack removes them, but no longer name it: a later domain of the
  /// same number must not find itself their owner.
  public func release(_ domain: DomainID) throws(StoreError) {
    guard introduced.remove(domain) != nil else { throw .noEntry }
    for (id, client) in clients where client.domain == domain { clients[id] = nil }
    for client in clients.values where client.target == domain { client.target = nil }
    var changed: [(StorePath, StoreNode)] = []
    for (path, node) in nodes {
      var node = node
      if node.permissions.forget(domain) { changed.append((path, node)) }
    }
    for (path, node) in changed { put(node, at: path, in: nil) }
    owned[domain] = nil
    ownedBytes[domain] = nil
    fire(StoreChange(path: .releaseDomain))
  }

  /// Whether a domain is known.
  public func isIntroduced(_ domain: DomainID) -> Bool {
    domain == .control || introduced.contains(domain)
  }

  /// Nodes that a domain owns.
  public func nodeCount(of domain: DomainID) -> Int { owned[domain, default: 0] }
}
