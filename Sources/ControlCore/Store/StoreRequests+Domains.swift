// Requests about domains and to the store itself. All but one are for the control domain only, and a guest that
// sends one learns no more than that.

import XenABI

extension Store {
  private func onlyDomain(_ message: StoreMessage) throws(StoreError) -> DomainID {
    guard let text = message.onlyText, text.decimal != nil else { throw .invalid }
    // A number that no domain can have is a domain that is not there.
    guard let domain = DomainID(text) else { throw .noEntry }
    return domain
  }

  /// A number as xenstored reads it in questions: the digits in front, and 0 where there are none.
  private func looseDomain(_ message: StoreMessage) throws(StoreError) -> UInt64 {
    guard let text = message.onlyText else { throw .invalid }
    return UInt64(text.looseNumber)
  }
  private func requirePrivilege(_ client: StoreClient) throws(StoreError) {
    guard client.isPrivileged else { throw .accessDenied }
  }
  func domainPath(_ message: StoreMessage) throws(StoreError) -> Bytes {
    var answer = Bytes("/local/domain/")
    answer.append(contentsOf: Bytes(decimal: try looseDomain(message)))
    answer.append(0)
    return answer
  }
  func isDomainIntroduced(
    _ message: StoreMessage, _ client: StoreClient
  ) throws(StoreError) -> Bytes {
    try requirePrivilege(client)
    let number = try looseDomain(message)
    guard number < UInt64(Xen.Domid.firstReserved) else { return Bytes("F\0") }
    return isIntroduced(DomainID(UInt16(number))) ? Bytes("T\0") : Bytes("F\0")
  }
  func introduce(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    try requirePrivilege(client)
    guard let texts = message.texts, texts.count >= 3 else { throw .invalid }
    guard let domain = DomainID(texts[0]), domain != .control, texts[1].decimal != nil,
      let number = texts[2].decimal, let port = UInt32(exactly: number), port != 0
    else { throw .invalid }
    introduce(domain)
    return okay
  }
  func release(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    try requirePrivilege(client)
    let domain = try onlyDomain(message)
    guard domain != .control else { throw .invalid }
    try release(domain)
    return okay
  }
  func resume(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    try requirePrivilege(client)
    let domain = try onlyDomain(message)
    guard domain != .control else { throw .invalid }
    guard introduced.contains(domain) else { throw .noEntry }
    return okay
  }
  func setTarget(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    try requirePrivilege(client)
    guard let texts = message.texts, texts.count == 2 else { throw .invalid }
    guard let domain = DomainID(texts[0]), let target = DomainID(texts[1]) else {
      throw .invalid
    }
    // The rights of the control domain are not given away.
    guard target != .control else { throw .invalid }
    guard isIntroduced(domain), isIntroduced(target) else { throw .noEntry }
    for one in clients.values where one.domain == domain { one.target = target }
    return okay
  }

  /// Commands to the store: `help`, `check`, and `quota` with what a domain uses.
  func control(_ message: StoreMessage, _ client: StoreClient) throws(StoreError) -> Bytes {
    try requirePrivilege(client)
    guard let texts = message.texts else { throw .invalid }
    if texts[0].equals("help") {
      return Bytes("help\ncheck\nquota <domain>\n\0")
    }
    if texts[0].equals("check"), texts.count == 1 {
      guard isConsistent else { throw .invalid }
      return okay
    }
    guard texts[0].equals("quota"), texts.count == 2, let domain = DomainID(texts[1]) else {
      throw .invalid
    }
    var watches = 0
    var transactions = 0
    for one in clients.values where one.domain == domain {
      watches += one.watches.count
      transactions += one.transactions.count
    }
    var answer = Bytes("nodes ")
    answer.append(contentsOf: Bytes(decimal: UInt64(max(0, nodeCount(of: domain)))))
    answer.append("\nwatches ")
    answer.append(contentsOf: Bytes(decimal: UInt64(watches)))
    answer.append("\ntransactions ")
    answer.append(contentsOf: Bytes(decimal: UInt64(transactions)))
    answer.append("\n\0")
    return answer
  }
}
