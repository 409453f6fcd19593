// A transaction works on copies of the nodes that it looks at, and remembers of each which version it
// saw. At its end every version is compared with the tree's: if one differs, somebody has changed
// what this transaction was built on, nothing is written, and the client is told to do it again.

/// A change that watches hear of.
struct StoreChange {
  var path: StorePath
  /// Only watches on this very node hear of it: a node that went with its parent.
  var isExact = false
  /// Permissions of a node and of its parent, if the node is gone and cannot be asked.
  var permissions: StorePermissions?
  var parentPermissions: StorePermissions?
}

/// A node as a transaction sees it.
struct TransactionEntry {
  /// The version in the tree when the transaction first looked; 0 if there was none.
  let seen: UInt64
  /// What the transaction has made of it.
  var node: StoreNode?
  var isModified = false
}

/// What a client has begun and not ended.
final class StoreTransaction {
  var entries: [StorePath: TransactionEntry] = [:]
  var changes: [StoreChange] = []
  /// What the entries take, roughly; it only grows.
  var bytes = 0
  /// Nodes that it adds to, or takes from, what a domain owns.
  var owned: [DomainID: Int] = [:]

  /// Notes a change; the same one twice is one.
  func note(_ change: StoreChange) {
    for index in changes.indices where changes[index].path == change.path {
      changes[index].isExact = changes[index].isExact && change.isExact
      changes[index].permissions = change.permissions
      changes[index].parentPermissions = change.parentPermissions
      return
    }
    changes.append(change)
  }
}

extension StoreTransaction {
  /// Notes a removal; a node that came and went inside the transaction was never there.
  func note(removal change: StoreChange) {
    guard entries[change.path]?.seen == 0 else {
      note(change)
      return
    }
    changes.removeAll { $0.path == change.path }
  }
}

extension Store {
  /// Begins a transaction and returns its number.
  func begin(for client: StoreClient) throws(StoreError) -> UInt32 {
    guard client.isPrivileged || client.transactions.count <= quotas.transactions else {
      throw .noSpace
    }
    // Numbers wrap; a client that keeps one open for that long must not meet it again.
    repeat {
      client.lastTransaction &+= 1
    } while client.lastTransaction == 0 || client.transactions[client.lastTransaction] != nil
    client.transactions[client.lastTransaction] = StoreTransaction()
    return client.lastTransaction
  }

  /// Ends a transaction: writes what it has made, or nothing at all.
  func commit(_ transaction: StoreTransaction, for client: StoreClient) throws(StoreError) {
    for (path, entry) in transaction.entries
    where (nodes[path]?.generation ?? 0) != entry.seen {
      throw .tryAgain
    }
    // Other domains' transactions may have taken the room meanwhile.
    if !client.isPrivileged, let more = transaction.owned[client.domain], more > 0,
      owned[client.domain, default: 0] + more > quotas.nodes
    {
      throw .noSpace
    }
    guard client.isPrivileged || ownedBytes[client.domain, default: 0] < quotas.bytes else {
      throw .noSpace
    }
    for (path, entry) in transaction.entries where entry.isModified {
      put(entry.node, at: path, in: nil)
    }
    for change in transaction.changes { fire(change) }
  }
}
