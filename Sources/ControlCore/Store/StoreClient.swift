// One user of the store: a guest behind its ring, or a part of the control domain.

/// A watch that a client has set.
struct StoreWatch {
  let path: StorePath
  let token: Bytes
  /// The name was sent as one that counts from the home: events show it that way.
  let isRelative: Bool
}

/// What the store knows of one user.
final class StoreClient {
  let domain: DomainID
  /// Rights of this domain are the client's as well (XS_SET_TARGET).
  var target: DomainID?
  var watches: [StoreWatch] = []
  var transactions: [UInt32: StoreTransaction] = [:]
  var lastTransaction: UInt32 = 0
  var outbox = StoreOutbox()
  init(domain: DomainID) { self.domain = domain }

  /// The control domain's parts know no limits.
  var isPrivileged: Bool { domain == .control }

  /// What it may do with a node.
  func access(_ permissions: StorePermissions) -> StoreAccess {
    permissions.access(for: domain, target: target)
  }
}

/// Names a client of a ``Store``.
public struct StoreClientID: Hashable, Sendable {
  let number: UInt32
}
