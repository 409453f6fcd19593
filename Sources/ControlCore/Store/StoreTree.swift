// The tree, seen directly or through a transaction: look-up with permissions, making nodes with
// those above them, removing them with those below. Every quota is checked before the first change,
// so that a refused request has changed nothing.

extension Store {
  /// The node of a name, whoever asks.
  func find(
    _ path: StorePath, in transaction: StoreTransaction?, for client: StoreClient
  ) throws(StoreError) -> StoreNode? {
    guard let transaction else { return nodes[path] }
    if let entry = transaction.entries[path] { return entry.node }
    // A guest may look at ever more names, there or not, and each is remembered.
    guard
      client.isPrivileged
        || transaction.entries.count < quotas.transactionNodes
          && transaction.bytes < quotas.transactionBytes
    else { throw .noSpace }
    let node = nodes[path]
    transaction.bytes += path.bytes.count
    transaction.entries[path] = TransactionEntry(seen: node?.generation ?? 0, node: node)
    return node
  }

  /// The node of a name, if the client may do with it what it wants to.
  ///
  /// Where there is no node the nearest one above decides whether the client may know that.
  func find(
    _ path: StorePath, in transaction: StoreTransaction?, for client: StoreClient,
    wanting access: StoreAccess
  ) throws(StoreError) -> StoreNode? {
    if let node = try find(path, in: transaction, for: client) {
      guard client.access(node.permissions).isSuperset(of: access) else { throw .accessDenied }
      return node
    }
    var above = path.parent
    while let parent = above {
      if let node = try find(parent, in: transaction, for: client) {
        guard client.access(node.permissions).isSuperset(of: access) else { throw .accessDenied }
        return nil
      }
      above = parent.parent
    }
    return nil
  }

  /// Replaces a node, in the tree or in a transaction that has looked at it.
  func put(_ node: StoreNode?, at path: StorePath, in transaction: StoreTransaction?) {
    if let transaction {
      let before = transaction.entries[path]
      if let owner = before?.node?.permissions.first.domain {
        transaction.owned[owner, default: 0] -= 1
      }
      if let owner = node?.permissions.first.domain { transaction.owned[owner, default: 0] += 1 }
      transaction.bytes += node?.size ?? 0
      transaction.entries[path] = TransactionEntry(
        seen: before?.seen ?? 0, node: node, isModified: true)
      return
    }
    if let before = nodes[path] {
      owned[before.permissions.first.domain, default: 0] -= 1
      ownedBytes[before.permissions.first.domain, default: 0] -= before.size + path.bytes.count
    }
    guard var node else {
      nodes[path] = nil
      return
    }
    owned[node.permissions.first.domain, default: 0] += 1
    ownedBytes[node.permissions.first.domain, default: 0] += node.size + path.bytes.count
    generation += 1
    node.generation = generation
    nodes[path] = node
  }

  /// Nodes that a domain owns, a transaction's counted in.
  func ownedCount(_ domain: DomainID, in transaction: StoreTransaction?) -> Int {
    owned[domain, default: 0] + (transaction?.owned[domain] ?? 0)
  }

  /// Makes a node and those above it that are missing.
  func create(
    _ path: StorePath, value: Bytes, in transaction: StoreTransaction?, for client: StoreClient
  ) throws(StoreError) {
    var missing = [path]
    var above = path.parent
    var base: StoreNode?
    while let parent = above {
      base = try find(parent, in: transaction, for: client)
      if base != nil { break }
      missing.append(parent)
      above = parent.parent
      // A guest may send a name of a thousand parts.
      guard
        client.isPrivileged
          || ownedCount(client.domain, in: transaction) + missing.count <= quotas.nodes
      else { throw .noSpace }
    }
    // Special names have nothing above them, and are not made by clients.
    guard var base, let basePath = above else { throw .invalid }
    guard
      client.isPrivileged
        || ownedCount(client.domain, in: transaction) + missing.count <= quotas.nodes
    else { throw .noSpace }

    var permissions = base.permissions
    if !client.isPrivileged { permissions.first.domain = client.domain }
    missing.reverse()
    base.add(missing[0].leaf)
    var made: [StoreNode] = []
    for index in missing.indices {
      var node = StoreNode(permissions: permissions)
      if index + 1 < missing.count { node.add(missing[index + 1].leaf) } else { node.value = value }
      made.append(node)
    }
    try checkSize(base, for: client)
    for node in made { try checkSize(node, for: client) }

    put(base, at: basePath, in: transaction)
    for index in missing.indices { put(made[index], at: missing[index], in: transaction) }
  }

  /// Throws if a node is larger than the client may make it, or the client has filled its share.
  func checkSize(_ node: StoreNode, for client: StoreClient) throws(StoreError) {
    guard
      client.isPrivileged
        || node.size < quotas.nodeSize && ownedBytes[client.domain, default: 0] < quotas.bytes
    else { throw .noSpace }
  }

  /// Removes a node and all below it, and returns what watches are to hear.
  func remove(
    _ path: StorePath, in transaction: StoreTransaction?, for client: StoreClient
  ) throws(StoreError) -> [StoreChange] {
    guard let parentPath = path.parent,
      var parent = try find(parentPath, in: transaction, for: client)
    else { throw .invalid }
    // Found before anything is removed: a transaction may run into its limit here. Walked with a list
    // of our own, since a guest chooses the depth; read backwards it has each node behind those below.
    var found: [StoreChange] = []
    var open = [StoreChange(path: path, parentPermissions: parent.permissions)]
    while var change = open.popLast() {
      let node = try find(change.path, in: transaction, for: client)
      change.permissions = node?.permissions
      found.append(change)
      for child in node?.children ?? [] {
        open.append(
          StoreChange(
            path: change.path.child(child), isExact: true, parentPermissions: node?.permissions))
      }
    }
    found.reverse()
    parent.remove(path.leaf)
    put(parent, at: parentPath, in: transaction)
    for change in found { put(nil, at: change.path, in: transaction) }
    return found
  }
}
