// Requests about a client's own state: watches and transactions.

extension Store {
  func watch(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    guard let texts = message.texts, texts.count == 2 else { throw .invalid }
    try watch(texts[0], token: texts[1], for: client)
    return okay
  }
  func unwatch(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    guard let texts = message.texts, texts.count == 2 else { throw .invalid }
    try unwatch(texts[0], token: texts[1], for: client)
    return okay
  }

  /// Ends all watches and transactions: a kernel that starts over another one knows none of them.
  func resetWatches(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    client.watches = []
    client.transactions = [:]
    return okay
  }
  func startTransaction(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    // What the request carries does not matter.
    guard transaction == nil else { throw .busy }
    var answer = Bytes(decimal: UInt64(try begin(for: client)))
    answer.append(0)
    return answer
  }
  func endTransaction(
    _ message: StoreMessage, _ transaction: StoreTransaction?, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    guard let text = message.onlyText, text.equals("T") || text.equals("F") else {
      throw .invalid
    }
    guard let transaction else { throw .noEntry }
    // It has ended whatever comes of it.
    client.transactions[message.transaction] = nil
    if text.equals("T") { try commit(transaction, for: client) }
    return okay
  }
}
