// Xenstore: messages over a page of two byte rings.
//
//     request()  --> header, path, value -->  req ring  --> xenstored
//     receive()  <-- one message at a time <-- rsp ring <--
//        |-- answer to the request that waits: kept in `answer`
//        |-- watch event: marks the watch, which is looked up by its token
//        '-- anything else: an answer that nobody waits for any more, dropped
//
// One request is under way at a time. Watch events take no memory, however many come: a mark is a mark,
// and a watch tells nothing but that something changed. A daemon that breaks the protocol is left:
// requests end with EIO, unless it offers to begin again.

import CXenABI
import XenABI

private let requestTimeout: UInt64 = 30_000_000_000
private let reconnectTimeout: UInt64 = 1_000_000_000
private let messagesPerEvent = 64
private let watchesPerRun = 64
private let headerSize = MemoryLayout<xsd_sockmsg>.size
private let payloadMax = Int(XENSTORE_PAYLOAD_MAX)

/// The xenstore client.
///
/// Paths without leading slash count from the domain's home. Driver context, all of it.
public final class Store<OS: PortingLayer> {
  /// No transaction.
  public static var noTransaction: UInt32 { 0 }

  let events: Events<OS>
  private var page: UnsafeMutablePointer<xenstore_domain_interface>?
  private var stream: Xen.ByteStream?
  private var port = Events<OS>.none
  private var isBroken = false
  private var isMending = false

  /// The message that is coming in: its header, then its payload.
  private let incoming: UnsafeMutableRawBufferPointer
  private var got = 0
  /// The message that is going out.
  private let outgoing: UnsafeMutableRawBufferPointer

  /// The request that is under way.
  private var isBusy = false
  private var isAnswered = false
  private var request = xsd_sockmsg()
  private var isError = false
  private var answer: [UInt8] = []

  private var watches: [Watch] = []
  private var lastToken: UInt32 = 0
  private var anyFired = false

  /// Not connected yet.
  public init(events: Events<OS>) {
    self.events = events
    incoming = .allocate(byteCount: headerSize + payloadMax, alignment: 8)
    outgoing = .allocate(byteCount: headerSize + payloadMax, alignment: 8)
  }

  deinit {
    incoming.deallocate()
    outgoing.deallocate()
  }

  /// Connects to the page that the toolstack made.
  public func start() throws(Failure) {
    watches = []
    anyFired = false
    try connect()
  }

  /// After a resume and `Events.forget`: page and port are new; all watches are set anew and fire.
  public func resume() throws(Failure) {
    try connect()
    try renewWatches()
  }

  /// Ends the connection's port.
  public func stop() {
    events.close(port, isKept: true)
    page = nil
  }

  private func connect() throws(Failure) {
    let start = OS.start()
    if start.storeFrame == 0 { throw Failure(XEN_ENODEV) }
    guard
      let mapped = withUnsafePointer(
        to: start.storeFrame, { OS.map(UnsafeBufferPointer(start: $0, count: 1)) })
    else { throw Failure(XEN_ENOMEM) }
    // SAFETY: the page stays mapped until the next resume.
    page = mapped.assumingMemoryBound(to: xenstore_domain_interface.self)
    isBusy = false
    try beginStream()
    port = start.storePort
    try events.attach(port) { self.receive() }
  }

  private func beginStream() throws(Failure) {
    got = 0
    stream = nil
    if let page {
      var parts = xenabi_stream()
      // SAFETY: as long as the page is mapped.
      _ = xenstore_domain_interface_begin_guest(&parts, page)
      stream = try? Xen.ByteStream(unsafeParts: parts)
    }
    isBroken = stream == nil
    if isBroken { throw Failure(XEN_EIO) }
  }

  /// Asks a daemon that can do so to clear the rings, and sets the watches again.
  private func reconnect() throws(Failure) {
    guard let page else { throw Failure(XEN_ENOTCONN) }
    let deadline = OS.time() &+ reconnectTimeout
    if xenabi_load_acquire(&page.pointee.server_features)
      & UInt32(XENSTORE_SERVER_FEATURE_RECONNECTION) == 0
    {
      throw Failure(XEN_EIO)
    }
    xenabi_store_release(&page.pointee.connection, UInt32(XENSTORE_RECONNECT))
    events.send(port)
    while xenabi_load_acquire(&page.pointee.connection) != UInt32(XENSTORE_CONNECTED) {
      if OS.time() >= deadline { throw Failure(XEN_EIO) }
      OS.wait(until: deadline)
    }
    try beginStream()
    isMending = true
    defer { isMending = false }
    try renewWatches()
  }

  // Messages.

  /// Event context.
  private func receive() {
    guard page != nil else { return }
    var budget = messagesPerEvent
    var hasMoved = false
    while !isBroken, budget > 0 {
      guard fill(to: headerSize, &hasMoved) else { break }
      let header = incoming.loadUnaligned(as: xsd_sockmsg.self)
      // A longer payload is against the protocol, and would not fit.
      if header.len > UInt32(payloadMax) {
        isBroken = true
        break
      }
      guard fill(to: headerSize + Int(header.len), &hasMoved) else { break }
      got = 0
      take(header, incoming[headerSize..<headerSize + Int(header.len)])
      budget -= 1
    }
    // There is room again.
    if hasMoved { events.send(port) }
    if budget == 0 { OS.wake() }
  }

  /// Reads until the message has so many bytes; false: they are not there yet.
  private func fill(to wanted: Int, _ hasMoved: inout Bool) -> Bool {
    guard got < wanted else { return true }
    let room = UnsafeMutableRawBufferPointer(rebasing: incoming[got..<wanted])
    guard let count = try? stream?.read(into: room) else {
      isBroken = true
      return false
    }
    hasMoved = hasMoved || count > 0
    got += count
    return got == wanted
  }

  private func take(_ header: xsd_sockmsg, _ payload: Slice<UnsafeMutableRawBufferPointer>) {
    if header.type == UInt32(XS_WATCH_EVENT) {
      mark(payload)
    } else if isBusy, !isAnswered, header.req_id == request.req_id,
      header.type == request.type || header.type == UInt32(XS_ERROR)
    {
      isAnswered = true
      isError = header.type == UInt32(XS_ERROR)
      answer = Array(payload)
    }
  }

  /// The payload is a path and a token, each with a zero.
  private func mark(_ payload: Slice<UnsafeMutableRawBufferPointer>) {
    guard let end = payload.firstIndex(of: 0),
      let token = Text.number(payload[(end + 1)...].prefix { $0 != 0 }), token != 0
    else { return }
    for watch in watches where UInt64(watch.token) == token {
      fire(watch)
      return
    }
  }

  private func send(_ message: Range<Int>, deadline: UInt64) throws(Failure) {
    var rest = message
    while !rest.isEmpty {
      let bytes = UnsafeRawBufferPointer(rebasing: outgoing[rest])
      guard let count = try? stream?.write(bytes), !isBroken else {
        isBroken = true
        throw Failure(XEN_EIO)
      }
      if count > 0 {
        events.send(port)
        rest = rest.lowerBound + count..<rest.upperBound
      } else if OS.time() >= deadline {
        // Half a message is in the ring: what follows would be misread.
        isBroken = true
        throw Failure(XEN_EIO)
      } else {
        OS.wait(until: deadline)
      }
    }
  }

  private func exchange(
    _ type: Int32, _ transaction: UInt32, _ payload: [UInt8]
  ) throws(Failure) -> [UInt8] {
    let deadline = OS.time() &+ requestTimeout
    if payload.count > payloadMax { throw Failure(XEN_E2BIG) }
    request.type = UInt32(type)
    request.req_id &+= 1
    request.tx_id = transaction
    request.len = UInt32(payload.count)
    isAnswered = false
    outgoing.storeBytes(of: request, as: xsd_sockmsg.self)
    UnsafeMutableRawBufferPointer(rebasing: outgoing[headerSize...]).copyBytes(from: payload)
    try send(0..<headerSize + payload.count, deadline: deadline)
    while !isAnswered {
      receive()  // what the last event left over, or came without one
      if isAnswered { break }
      if isBroken { throw Failure(XEN_EIO) }
      if OS.time() >= deadline { throw Failure(XEN_ETIMEDOUT) }
      OS.wait(until: deadline)
    }
    if isError { throw Failure(named: answer.prefix { $0 != 0 }) }
    return answer
  }

  /// Texts with a zero each, and `value` without one.
  func ask(
    _ type: Int32, _ transaction: UInt32, _ texts: [Text], value: [UInt8] = []
  ) throws(Failure) -> [UInt8] {
    if page == nil { throw Failure(XEN_ENOTCONN) }
    // Another thread's, while it sleeps in wait().
    while isBusy { OS.wait(until: OS.time() &+ requestTimeout) }
    if isBroken {
      // What breaks again while it is mended stays broken until the next request.
      if isMending { throw Failure(XEN_EIO) }
      do { try reconnect() } catch { throw Failure(XEN_EIO) }
    }
    isBusy = true
    defer { isBusy = false }
    var payload: [UInt8] = []
    for text in texts { payload += text.bytes + [0] }
    return try exchange(type, transaction, payload + value)
  }

  // Watches.

  /// Sets a watch; it fires once at once, and at every change below.
  public func watch(_ path: Text, _ changed: @escaping () -> Void) throws(Failure) -> Watch {
    lastToken &+= 1
    if lastToken == 0 { lastToken = 1 }
    let watch = Watch(path: path, token: lastToken, changed: changed)
    watches.insert(watch, at: 0)
    do throws(Failure) {
      try set(watch)
    } catch {
      end(watch)
      throw error
    }
    return watch
  }

  private func set(_ watch: Watch) throws(Failure) {
    _ = try ask(XS_WATCH, 0, [watch.path, Text(number: UInt64(watch.token))])
  }

  private func renewWatches() throws(Failure) {
    var firstError: Failure?
    for watch in watches {
      do throws(Failure) { try set(watch) } catch { firstError = firstError ?? error }
      // What changed meanwhile was told to nobody.
      watch.hasFired = true
      anyFired = true
    }
    if let firstError { throw firstError }
  }

  /// Ends a watch; it is not called any more.
  public func end(_ watch: Watch) {
    if watch.token == 0 { return }
    watches.removeAll { $0 === watch }
    _ = try? ask(XS_UNWATCH, 0, [watch.path, Text(number: UInt64(watch.token))])
    watch.token = 0
    watch.changed = nil
  }

  /// Calls those that fired since.
  ///
  /// A call may set and end watches.
  public func runWatches() {
    receive()
    for _ in 0..<watchesPerRun where anyFired {
      anyFired = false
      guard let watch = watches.first(where: { $0.hasFired }) else { return }
      watch.hasFired = false
      // Look again from the start: the call may change the list.
      anyFired = true
      let changed = watch.changed
      changed?()
    }
  }

  /// Marks one as if it had fired, so that it is called again.
  public func fire(_ watch: Watch) {
    watch.hasFired = true
    anyFired = true
    OS.wake()
  }
}

/// A place in the store that is looked at.
public final class Watch {
  /// Where.
  public let path: Text
  /// 0: ended.
  fileprivate(set) var token: UInt32
  fileprivate var hasFired = false
  fileprivate var changed: (() -> Void)?

  fileprivate init(path: Text, token: UInt32, changed: @escaping () -> Void) {
    self.path = path
    self.token = token
    self.changed = changed
  }
}
