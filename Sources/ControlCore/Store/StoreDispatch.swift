// Requests by their type: a table, and the answer or error around what a handler returns.

import XenABI

extension Store {
  /// Carries out a request; the answer waits in the client's queue afterwards.
  public func handle(_ message: StoreMessage, from id: StoreClientID) {
    guard let client = clients[id] else { return }
    var answer = StoreMessage(
      type: message.type, request: message.request, transaction: message.transaction, payload: [])
    do throws(StoreError) {
      var transaction: StoreTransaction?
      if message.transaction != 0 {
        guard let found = client.transactions[message.transaction] else {
          throw StoreError.noEntry
        }
        transaction = found
      }
      answer.payload = try perform(message, in: transaction, for: client)
      guard answer.payload.count <= Int(Xen.XenstoreLimits.payloadMax) else {
        throw StoreError.tooBig
      }
    } catch {
      answer.type = .error
      answer.payload = Bytes(error.name)
      answer.payload.append(0)
    }
    client.outbox.append(answer: answer.bytes)
    // The first event of a watch comes behind the answer that it is set.
    if message.type == .watch, answer.type == .watch { fireNewest(for: client) }
  }
  func perform(
    _ message: StoreMessage, in transaction: StoreTransaction?, for client: StoreClient
  ) throws(StoreError) -> Bytes {
    switch message.type {
    case .read: try read(message, transaction, client)
    case .write: try write(message, transaction, client)
    case .mkdir: try makeDirectory(message, transaction, client)
    case .rm: try remove(message, transaction, client)
    case .directory: try directory(message, transaction, client)
    case .directoryPart: try directoryPart(message, transaction, client)
    case .getPerms: try getPermissions(message, transaction, client)
    case .setPerms: try setPermissions(message, transaction, client)
    case .watch: try watch(message, client)
    case .unwatch: try unwatch(message, client)
    case .resetWatches: try resetWatches(message, client)
    case .transactionStart: try startTransaction(message, transaction, client)
    case .transactionEnd: try endTransaction(message, transaction, client)
    case .getDomainPath: try domainPath(message)
    case .isDomainIntroduced: try isDomainIntroduced(message, client)
    case .introduce: try introduce(message, client)
    case .release: try release(message, client)
    case .resume: try resume(message, client)
    case .setTarget: try setTarget(message, client)
    case .control: try control(message, client)
    default: throw .noSuchCall
    }
  }

  /// The answer where there is nothing to tell.
  var okay: Bytes { Bytes("OK\0") }
}
