// Requests about nodes: read, write, make, remove, list, permissions.

import XenABI

extension Store {
  private func onlyPath(
    _ message: StoreMessage, _ client: StoreClient
  ) throws(StoreError) -> StorePath {
    guard let text = message.onlyText else { throw .invalid }
    return try place(text, client)
  }

  /// The name of a node; special names have permissions and watches, and are no nodes.
  private func place(_ text: Bytes, _ client: StoreClient) throws(StoreError) -> StorePath {
    let path = try StorePath(text, from: client.domain)
    guard !path.isSpecial else { throw .invalid }
    return path
  }

  /// A node that is there and that the client may use so.
  private func existing(
    _ path: StorePath, _ access: StoreAccess, _ transaction: StoreTransaction?,
    _ client: StoreClient
  ) throws(StoreError) -> StoreNode {
    guard let node = try find(path, in: transaction, for: client, wanting: access) else {
      throw .noEntry
    }
    return node
  }
  private func tell(_ change: StoreChange, _ transaction: StoreTransaction?) {
    if let transaction { transaction.note(change) } else { fire(change) }
  }
  func read(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    try existing(onlyPath(message, client), .read, transaction, client).value
  }
  func write(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    guard let (text, value) = message.textAndRest else { throw .invalid }
    let path = try place(text, client)
    if var node = try find(path, in: transaction, for: client, wanting: .write) {
      node.value = value
      try checkSize(node, for: client)
      put(node, at: path, in: transaction)
    } else {
      try create(path, value: value, in: transaction, for: client)
    }
    tell(StoreChange(path: path), transaction)
    return okay
  }
  func makeDirectory(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    let path = try onlyPath(message, client)
    if try find(path, in: transaction, for: client, wanting: .write) == nil {
      try create(path, value: [], in: transaction, for: client)
      tell(StoreChange(path: path), transaction)
    }
    return okay
  }
  func remove(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    let path = try onlyPath(message, client)
    guard let parent = path.parent else {
      // The root: who may not write it is not told that nobody may remove it.
      if !path.isSpecial { _ = try find(path, in: transaction, for: client, wanting: .write) }
      throw .invalid
    }
    guard try find(path, in: transaction, for: client, wanting: .write) != nil else {
      // What is not there need not be removed, but a place for it there must be.
      guard try find(parent, in: transaction, for: client) != nil else { throw .noEntry }
      return okay
    }
    for change in try remove(path, in: transaction, for: client) {
      if let transaction { transaction.note(removal: change) } else { fire(change) }
    }
    return okay
  }
  func directory(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    let node = try existing(onlyPath(message, client), .read, transaction, client)
    // Longer lists are read in parts.
    guard node.childrenSize <= Int(Xen.XenstoreLimits.payloadMax) else { throw .tooBig }
    return listing(of: node)
  }
  private func listing(of node: StoreNode) -> Bytes {
    var names = Bytes()
    names.reserveCapacity(node.childrenSize)
    for child in node.children {
      names.append(contentsOf: child)
      names.append(0)
    }
    return names
  }

  /// Answers the node's generation, then as many whole names from an offset as there is room for; an
  /// empty name ends the last part.
  func directoryPart(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    guard let texts = message.texts, texts.count == 2 else { throw .invalid }
    let offset = texts[1].looseNumber
    let path = try place(texts[0], client)
    let node = try existing(path, .read, transaction, client)
    var answer = Bytes(decimal: node.generation)
    answer.append(0)
    let names = listing(of: node)
    let room = Int(Xen.XenstoreLimits.payloadMax) - answer.count
    // The offset is the client's: it may lie in a name, or far beyond the end.
    guard offset < names.count else {
      answer.append(0)
      return answer
    }
    let start = Int(offset)
    if names.count - start < room {
      answer.append(contentsOf: names[start...])
      answer.append(0)
    } else {
      var end = start + room
      while end > start, names[end - 1] != 0 { end -= 1 }
      answer.append(contentsOf: names[start..<end])
    }
    return answer
  }
  func getPermissions(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    try existing(onlyPath(message, client), .read, transaction, client).permissions.text
  }
  func setPermissions(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    guard let texts = message.texts, texts.count >= 2 else { throw .invalid }
    guard client.isPrivileged || texts.count - 1 <= quotas.permissions else { throw .noSpace }
    let permissions = try StorePermissions(Array(texts.dropFirst()))
    guard domainExists(permissions.first.domain) else { throw .noEntry }
    let path = try StorePath(texts[0], from: client.domain)
    // Special names are a guest's for watches alone.
    if path.isSpecial, !client.isPrivileged || nodes[path] == nil { throw .invalid }
    var node = try existing(path, .owner, transaction, client)
    // A guest must not make others pay for its nodes.
    guard client.isPrivileged || permissions.first.domain == node.permissions.first.domain else {
      throw .notPermitted
    }
    node.permissions = permissions
    try checkSize(node, for: client)
    put(node, at: path, in: transaction)
    tell(StoreChange(path: path), transaction)
    return okay
  }
}
