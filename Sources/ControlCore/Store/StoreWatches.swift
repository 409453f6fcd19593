// Watches: who hears of a change, and how the events look.

import XenABI

extension Store {
  /// Tells every client that watches the place, and may know of it, of a change.
  func fire(_ change: StoreChange) {
    for client in clients.values {
      var isPermitted: Bool?
      for watch in client.watches {
        guard change.isExact ? watch.path == change.path : watch.path.contains(change.path)
        else { continue }
        if isPermitted == nil { isPermitted = mayHear(of: change, client) }
        guard isPermitted == true else { break }
        queue(change.path, of: watch, for: client)
      }
    }
  }

  /// A client hears of nodes that it may read, and of those that it sees in a listing.
  private func mayHear(of change: StoreChange, _ client: StoreClient) -> Bool {
    if client.isPrivileged { return true }
    if let permissions = change.permissions ?? nodes[change.path]?.permissions,
      client.access(permissions).contains(.read)
    {
      return true
    }
    guard let parent = change.path.parent,
      let permissions = change.parentPermissions ?? nodes[parent]?.permissions
    else { return false }
    return client.access(permissions).contains(.read)
  }
  private func queue(_ changed: StorePath, of watch: StoreWatch, for client: StoreClient) {
    // A long name below a watch with a long token would not fit: then the watch's own stands for it,
    // which came in one message with the token.
    let isLong = changed.bytes.count + watch.token.count + 2 > Int(Xen.XenstoreLimits.payloadMax)
    let path = isLong ? watch.path : changed
    var payload = Bytes()
    if watch.isRelative {
      let home = StorePath.home(of: client.domain).bytes.count + 1
      payload.append(contentsOf: path.bytes.dropFirst(home))
    } else {
      payload.append(contentsOf: path.bytes)
    }
    payload.append(0)
    payload.append(contentsOf: watch.token)
    payload.append(0)
    let message = StoreMessage(type: .watchEvent, payload: payload)
    client.outbox.append(event: message.bytes, limit: quotas.waitingEvents)
  }

  /// Sets a watch, which fires at once.
  func watch(_ text: Bytes, token: Bytes, for client: StoreClient) throws(StoreError) {
    let path = try StorePath(text, from: client.domain)
    for watch in client.watches where watch.path == path && watch.token == token { throw .exists }
    guard client.isPrivileged || client.watches.count <= quotas.watches else { throw .tooBig }
    let watch = StoreWatch(path: path, token: token, isRelative: StorePath.isRelative(text))
    client.watches.append(watch)
  }

  /// Fires the watch that was set last: a client learns of what was there before it.
  func fireNewest(for client: StoreClient) {
    guard let watch = client.watches.last else { return }
    queue(watch.path, of: watch, for: client)
  }

  /// Ends a watch; a name that is none has no watch.
  func unwatch(_ text: Bytes, token: Bytes, for client: StoreClient) throws(StoreError) {
    guard let path = try? StorePath(text, from: client.domain),
      let index = client.watches.firstIndex(where: { $0.path == path && $0.token == token })
    else { throw .noEntry }
    client.watches.remove(at: index)
  }

  /// The next message for a client; it stays the next until ``sent(by:)``.
  func nextMessage(for client: StoreClient) -> Bytes? {
    if let index = client.outbox.takeRepeat(of: client.watches.count) {
      let watch = client.watches[index]
      queue(watch.path, of: watch, for: client)
    }
    return client.outbox.first
  }
}
