// The store as the control domain's own parts use it: no ring, no messages that they would have to
// take apart, and the same rules as for everybody else.

import XenABI

/// What a backend needs of a store.
public protocol StoreAccessing {
  /// The value of a node; `nil` where there is none.
  func read(_ path: StorePath) -> Bytes?
  /// Writes a node; false where that is refused.
  @discardableResult func write(_ path: StorePath, _ value: Bytes) -> Bool
  /// Removes a node and all below it.
  @discardableResult func remove(_ path: StorePath) -> Bool
  /// Names below a node; empty where there is none.
  func list(_ path: StorePath) -> [Bytes]
  /// Sets a watch.
  @discardableResult func watch(_ path: StorePath, token: Bytes) -> Bool
  /// Ends a watch.
  @discardableResult func unwatch(_ path: StorePath, token: Bytes) -> Bool
}

/// A watch that fired.
public struct StoreEvent: Hashable, Sendable {
  /// What changed.
  public let path: Bytes
  /// The token of the watch.
  public let token: Bytes
}

/// A client of the store inside the control domain.
public struct LocalStore: StoreAccessing {
  private let store: Store
  private let id: StoreClientID

  /// Opens the store for the control domain or, in tests, for another.
  public init(_ store: Store, as domain: DomainID = .control) {
    self.store = store
    id = store.open(domain)
  }

  /// Carries out a request; `nil` where it is refused.
  private func ask(_ type: Xen.XenstoreType, _ payload: Bytes) -> Bytes? {
    guard let client = store.clients[id] else { return nil }
    do throws(StoreError) {
      return try store.perform(StoreMessage(type: type, payload: payload), in: nil, for: client)
    } catch {
      return nil
    }
  }
  public func read(_ path: StorePath) -> Bytes? { ask(.read, path.bytes + [0]) }

  @discardableResult
  public func write(_ path: StorePath, _ value: Bytes) -> Bool {
    ask(.write, path.bytes + [0] + value) != nil
  }

  @discardableResult
  public func remove(_ path: StorePath) -> Bool { ask(.rm, path.bytes + [0]) != nil }

  public func list(_ path: StorePath) -> [Bytes] {
    guard let client = store.clients[id], let access = store.nodes[path],
      client.access(access.permissions).contains(.read)
    else { return [] }
    return access.children
  }

  /// Gives a node permissions.
  @discardableResult
  public func setPermissions(_ path: StorePath, _ permissions: StorePermissions) -> Bool {
    ask(.setPerms, path.bytes + [0] + permissions.text) != nil
  }

  @discardableResult
  public func watch(_ path: StorePath, token: Bytes) -> Bool {
    guard ask(.watch, path.bytes + [0] + token + [0]) != nil else { return false }
    if let client = store.clients[id] { store.fireNewest(for: client) }
    return true
  }

  @discardableResult
  public func unwatch(_ path: StorePath, token: Bytes) -> Bool {
    ask(.unwatch, path.bytes + [0] + token + [0]) != nil
  }

  /// The next watch that fired.
  public func nextEvent() -> StoreEvent? {
    guard let client = store.clients[id], let bytes = store.nextMessage(for: client) else {
      return nil
    }
    client.outbox.removeFirst()
    guard let texts = StoreMessage(bytes)?.texts, texts.count == 2 else { return nil }
    return StoreEvent(path: texts[0], token: texts[1])
  }
}
