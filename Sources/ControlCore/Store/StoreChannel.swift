// The store's end of a guest's xenstore page: takes requests out of its ring piece by piece, and puts
// answers and events into the other as the guest makes room.
//
// The guest may write anything at any time. An index that claims more than a ring holds, or a payload
// that is longer than allowed, ends the service of this guest: the page says why, and only a reset
// that the guest asks for (or a new introduction) begins it again.

public import CXenABI
public import XenABI

/// One guest's connection to the store.
public final class StoreChannel {
  private let store: Store
  private let page: UnsafeMutablePointer<Xen.XenstoreDomainInterface>
  /// `nil` once the guest broke the protocol.
  private var stream: Xen.ByteStream?
  private let client: StoreClientID
  /// What has come of a message that is not whole yet.
  private var incoming = Bytes()
  /// The message that is being sent, and how much of it has been.
  private var outgoing: Bytes?
  private var sent = 0
  /// Where bytes out of the ring lie before they are looked at.
  private var chunk = Bytes(repeating: 0, count: Int(Xen.XenstoreLimits.ringSize))

  /// Serves a guest by its page, which stays mapped as long as the channel is used.
  public init(
    store: Store, domain: DomainID, unsafePage: UnsafeMutablePointer<Xen.XenstoreDomainInterface>
  ) {
    self.store = store
    page = unsafePage
    client = store.open(domain)
    let features: Xen.XenstoreServerFeatures = [.reconnection, .error]
    page.pointee.server_features = features.rawValue
    page.pointee.error = Xen.XenstoreError.none.rawValue
    begin()
  }

  /// Forgets the guest: its watches and transactions end.
  public func close() {
    store.close(client)
    stream = nil
  }

  /// Whether the guest is still served.
  public var isServed: Bool { stream != nil }

  private func begin() {
    var parts = xenabi_stream()
    _ = xenstore_domain_interface_begin_backend(&parts, page)
    do throws(Xen.RingBroken) {
      stream = try Xen.ByteStream(unsafeParts: parts)
    } catch {
      fail(.ringidx)
    }
  }
  private func fail(_ error: Xen.XenstoreError) {
    stream = nil
    incoming = []
    page.pointee.error = error.rawValue
  }

  /// Does what there is to do, a bounded number of requests at most; called on the guest's event, and
  /// again after others have had their turn if ``Progress/more`` says so.
  public func run(requests limit: Int = 8) -> Progress {
    var progress = Progress()
    if page.pointee.connection == Xen.XenstoreConnection.reconnect.rawValue {
      reset()
      progress.notify = true
    }
    var left = limit
    do throws(Xen.RingBroken) {
      if try send() { progress.notify = true }
      while stream != nil, left > 0, isReady {
        guard try receive(&progress) else { break }
        left -= 1
        if try send() { progress.notify = true }
      }
    } catch {
      fail(.ringidx)
    }
    progress.more = left == 0
    return progress
  }

  /// A guest that takes no answers is asked no more.
  private var isReady: Bool {
    guard let queue = store.clients[client]?.outbox else { return false }
    return queue.answerBytes <= store.quotas.waitingAnswers
  }

  /// The guest sends nothing and takes nothing until `connection` is 0 again.
  private func reset() {
    incoming = []
    outgoing = nil
    sent = 0
    if let queued = store.clients[client] {
      queued.outbox.removeAll()
      queued.watches = []
      queued.transactions = [:]
    }
    page.pointee.req_cons = 0
    page.pointee.req_prod = 0
    page.pointee.rsp_cons = 0
    page.pointee.rsp_prod = 0
    page.pointee.error = Xen.XenstoreError.none.rawValue
    xenabi_full_barrier()
    page.pointee.connection = Xen.XenstoreConnection.connected.rawValue
    begin()
  }

  /// Takes bytes until a message is whole and carries it out; false where the ring has no more.
  private func receive(_ progress: inout Progress) throws(Xen.RingBroken) -> Bool {
    while true {
      let header = StoreMessage.header(incoming)
      if let header, header.len > Xen.XenstoreLimits.payloadMax {
        fail(.proto)
        return false
      }
      let wanted = StoreMessage.headerSize + Int(header?.len ?? 0)
      if header != nil, incoming.count == wanted {
        if let message = StoreMessage(incoming) { store.handle(message, from: client) }
        incoming.removeAll(keepingCapacity: true)
        return true
      }
      let count = try take(wanted - incoming.count)
      if count == 0 { return false }
      progress.notify = true
    }
  }

  /// Takes at most so many bytes out of the ring.
  private func take(_ limit: Int) throws(Xen.RingBroken) -> Int {
    let size = min(limit, chunk.count)
    let count = try read(size)
    incoming.append(contentsOf: chunk[..<count])
    return count
  }
  private func read(_ size: Int) throws(Xen.RingBroken) -> Int {
    guard var stream else { return 0 }
    var count = 0
    var isBroken = false
    // SAFETY: the buffer is the chunk's, and shorter than it or as long.
    chunk.withUnsafeMutableBytes { buffer in
      do throws(Xen.RingBroken) {
        count = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<size]))
      } catch { isBroken = true }
    }
    if isBroken { throw Xen.RingBroken() }
    self.stream = stream
    return count
  }

  /// Puts waiting messages into the ring as far as there is room; true if anything was put.
  private func send() throws(Xen.RingBroken) -> Bool {
    var isAny = false
    while stream != nil {
      if outgoing == nil {
        guard let queued = store.clients[client], let next = store.nextMessage(for: queued) else {
          break
        }
        outgoing = next
        sent = 0
      }
      guard let message = outgoing else { break }
      let count = try write(message)
      if count == 0 { break }
      isAny = true
      sent += count
      if sent == message.count {
        outgoing = nil
        store.clients[client]?.outbox.removeFirst()
      }
    }
    return isAny
  }
  private func write(_ message: Bytes) throws(Xen.RingBroken) -> Int {
    guard var stream else { return 0 }
    var count = 0
    var isBroken = false
    // SAFETY: `sent` is at most the message's length.
    message.withUnsafeBytes { buffer in
      do throws(Xen.RingBroken) {
        count = try stream.write(UnsafeRawBufferPointer(rebasing: buffer[sent...]))
      } catch { isBroken = true }
    }
    if isBroken { throw Xen.RingBroken() }
    self.stream = stream
    return count
  }
}
