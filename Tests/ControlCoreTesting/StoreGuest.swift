// A guest's end of the store: a page of its own and requests through its ring.

public import CXenABI
public import ControlCore
public import XenABI

/// A guest that talks to the store as a kernel does.
public final class StoreGuest {
  /// The page that guest and store share.
  public let page: UnsafeMutablePointer<Xen.XenstoreDomainInterface>
  /// The store's end.
  public let channel: StoreChannel
  /// Events that came while an answer was awaited.
  public private(set) var events: [String] = []
  private var stream: Xen.ByteStream
  private var received: Bytes = []
  private var lastRequest: UInt32 = 0

  /// A guest with a page of zeros.
  public init(_ store: Store, _ domain: UInt16) {
    page = .allocate(capacity: 1)
    page.initialize(to: Xen.XenstoreDomainInterface())
    channel = StoreChannel(store: store, domain: DomainID(domain), unsafePage: page)
    guard let stream = Self.guestStream(page) else { fatalError("a new page is sound") }
    self.stream = stream
  }

  deinit { page.deallocate() }

  private static func guestStream(
    _ page: UnsafeMutablePointer<Xen.XenstoreDomainInterface>
  ) -> Xen.ByteStream? {
    var parts = xenabi_stream()
    _ = xenstore_domain_interface_begin_guest(&parts, page)
    return try? Xen.ByteStream(unsafeParts: parts)
  }

  /// Begins with the page's indexes once more, as after a reset.
  public func reconnect() {
    received = []
    if let stream = Self.guestStream(page) { self.stream = stream }
  }

  /// Puts bytes into the ring and lets the store work; returns how many found room.
  @discardableResult
  public func send(_ bytes: Bytes) -> Int {
    let count = bytes.withUnsafeBytes { (try? stream.write($0)) ?? 0 }
    _ = channel.run()
    return count
  }

  /// Takes what the store has put into the ring.
  public func receive() {
    var buffer = Bytes(repeating: 0, count: 1024)
    while true {
      let count = buffer.withUnsafeMutableBytes { (try? stream.read(into: $0)) ?? 0 }
      received += buffer[..<count]
      let more = channel.run()
      if count == 0, !more.notify { return }
    }
  }

  /// The next whole message that was received.
  public func nextMessage() -> StoreMessage? {
    guard received.count >= 16 else { return nil }
    let length = received.withUnsafeBytes {
      Int($0.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    }
    guard received.count >= 16 + length else { return nil }
    defer { received.removeFirst(16 + length) }
    return StoreMessage(Bytes(received[..<(16 + length)]))
  }

  /// Sends a request, whole, and waits for its answer.
  public func exchange(
    _ type: Xen.XenstoreType, _ payload: Bytes, transaction: UInt32 = 0
  ) -> StoreMessage? {
    lastRequest += 1
    var rest = StoreMessage(
      type: type, request: lastRequest, transaction: transaction, payload: payload
    ).bytes
    while !rest.isEmpty {
      let count = send(rest)
      guard channel.isServed else { return nil }
      rest.removeFirst(count)
      receive()
    }
    while true {
      while let message = nextMessage() {
        if message.type == .watchEvent {
          note(message)
        } else {
          return message.request == lastRequest ? message : nil
        }
      }
      let before = received.count
      receive()
      if received.count == before { return nil }
    }
  }

  private func note(_ event: StoreMessage) {
    let texts = event.payload.split(separator: 0, omittingEmptySubsequences: false)
    events.append(
      texts.dropLast().map { String(decoding: $0, as: UTF8.self) }.joined(separator: " "))
  }

  /// Sends a request of texts and returns the answer as text, zero bytes as `|`, errors after `!`.
  @discardableResult
  public func ask(
    _ type: Xen.XenstoreType, _ texts: String..., value: String? = nil, in transaction: UInt32 = 0
  ) -> String {
    var payload: Bytes = []
    for text in texts { payload += Bytes(text.utf8) + [0] }
    if let value { payload += Bytes(value.utf8) }
    guard let answer = exchange(type, payload, transaction: transaction) else { return "(nothing)" }
    let text = answer.payload.map { $0 == 0 ? "|" : String(UnicodeScalar($0)) }.joined()
    return answer.type == .error ? "!" + text.dropLast() : text
  }

  /// Events since the last call.
  public func takeEvents() -> [String] {
    receive()
    while let message = nextMessage() { if message.type == .watchEvent { note(message) } }
    defer { events = [] }
    return events
  }

  /// Begins a transaction.
  public func begin() -> UInt32 { UInt32(ask(.transactionStart, "").dropLast()) ?? 0 }

  /// Ends one.
  public func end(_ transaction: UInt32, commit: Bool = true) -> String {
    ask(.transactionEnd, commit ? "T" : "F", in: transaction)
  }
}
