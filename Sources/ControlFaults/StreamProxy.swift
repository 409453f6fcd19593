// The store's page or the console's, with a fault in the middle: the store and the console's end work
// on a page of ours, and bytes are passed on between it and the guest's.

import CXenABI
import ControlCore
import XenABI

/// A page of two rings of bytes.
final class StreamProxy {
  private let page: UnsafeMutableRawPointer
  let shadow: UnsafeMutableRawPointer
  private let target: FaultTarget
  let port: EventPort
  private let state: FaultState
  private var guest: Xen.ByteStream?
  private var backend: Xen.ByteStream?
  /// From the guest, not yet passed on.
  private var incoming = Bytes()
  /// From the store, less than a message.
  private var partial = Bytes()
  /// For the guest.
  private var outgoing = Bytes()
  /// Until when nothing goes to the guest.
  private var due: UInt64 = 0
  private var rounds = 0
  private var isResetting = false
  private var isFrozen = false

  private static var delay: UInt64 { 20_000_000 }

  init(
    unsafePage page: UnsafeMutableRawPointer, _ target: FaultTarget, _ port: EventPort,
    _ state: FaultState
  ) {
    self.page = page
    self.target = target
    self.port = port
    self.state = state
    shadow = .allocate(byteCount: pageSize, alignment: pageSize)
    shadow.copyMemory(from: page, byteCount: pageSize)
    begin()
  }

  deinit { shadow.deallocate() }

  // SAFETY: both pages are whole pages, and the structures are smaller.
  private var storePages:
    (
      guest: UnsafeMutablePointer<Xen.XenstoreDomainInterface>,
      shadow: UnsafeMutablePointer<Xen.XenstoreDomainInterface>
    )
  {
    (
      page.assumingMemoryBound(to: Xen.XenstoreDomainInterface.self),
      shadow.assumingMemoryBound(to: Xen.XenstoreDomainInterface.self)
    )
  }

  private func begin() {
    var one = xenabi_stream()
    var other = xenabi_stream()
    if target == .store {
      _ = xenstore_domain_interface_begin_backend(&one, storePages.guest)
      _ = xenstore_domain_interface_begin_guest(&other, storePages.shadow)
    } else {
      _ = xencons_interface_begin_backend(
        &one, page.assumingMemoryBound(to: Xen.XenconsInterface.self))
      _ = xencons_interface_begin_guest(
        &other, shadow.assumingMemoryBound(to: Xen.XenconsInterface.self))
    }
    do throws(Xen.RingBroken) {
      guest = try Xen.ByteStream(unsafeParts: one)
      backend = try Xen.ByteStream(unsafeParts: other)
    } catch {
      guest = nil
    }
    incoming = []
    partial = []
    outgoing = []
  }

  /// Passes on what there is in both directions.
  func pump(now: UInt64) -> RingRound {
    var round = RingRound()
    rounds += 1
    if target == .store { reset(&round) }
    guard !isFrozen, !isResetting, guest != nil else { return round }
    if target == .console, state.act == .late, rounds % 10 != 0 {
      _ = state.clock.tick()
      return round
    }
    if target == .store {
      storePages.guest.pointee.server_features = storePages.shadow.pointee.server_features
    }
    if incoming.isEmpty { incoming = read(&guest) }
    let count = write(incoming, &backend)
    incoming.removeFirst(count)
    round.hasRequests = count > 0
    if outgoing.count < 4096 { take(read(&backend), now) }
    if target == .store, isFrozen {
      // Nothing behind this may put it right again.
      storePages.guest.pointee.rsp_prod &+= 5000
      round.events = 1
      return round
    }
    if due <= now {
      let sent = write(outgoing, &guest)
      outgoing.removeFirst(sent)
      if sent > 0 { round.events = 1 }
    }
    if count > 0, target == .console { strikeConsole() }
    if count > 0 || round.events > 0 {
      if state.act == .eventStorm { _ = state.clock.tick() }
      round.events = state.act == .eventStorm ? 64 : 1
    }
    return round
  }

  /// The guest asks for a connection without a past.
  private func reset(_ round: inout RingRound) {
    let (own, other) = storePages
    if isResetting {
      guard other.pointee.connection == Xen.XenstoreConnection.connected.rawValue else { return }
      own.pointee.req_cons = 0
      own.pointee.req_prod = 0
      own.pointee.rsp_cons = 0
      own.pointee.rsp_prod = 0
      own.pointee.error = Xen.XenstoreError.none.rawValue
      xenabi_full_barrier()
      own.pointee.connection = Xen.XenstoreConnection.connected.rawValue
      isResetting = false
      isFrozen = false
      begin()
      round.events = 1
    } else if own.pointee.connection == Xen.XenstoreConnection.reconnect.rawValue {
      other.pointee.connection = Xen.XenstoreConnection.reconnect.rawValue
      isResetting = true
      round.hasRequests = true
    }
  }

  private func read(_ stream: inout Xen.ByteStream?) -> Bytes {
    guard var own = stream else { return [] }
    var chunk = Bytes(repeating: 0, count: 1024)
    var count = 0
    chunk.withUnsafeMutableBytes { buffer in
      do throws(Xen.RingBroken) { count = try own.read(into: buffer) } catch { count = 0 }
    }
    stream = own
    return Bytes(chunk[..<count])
  }

  private func write(_ bytes: Bytes, _ stream: inout Xen.ByteStream?) -> Int {
    guard var own = stream, !bytes.isEmpty else { return 0 }
    var count = 0
    bytes.withUnsafeBytes { buffer in
      do throws(Xen.RingBroken) { count = try own.write(buffer) } catch { count = 0 }
    }
    stream = own
    return count
  }

  /// Takes what the store or the console's end has to say.
  private func take(_ bytes: Bytes, _ now: UInt64) {
    guard target == .store else { return outgoing.append(contentsOf: bytes) }
    partial.append(contentsOf: bytes)
    while partial.count >= StoreMessage.headerSize {
      // The length is the last word of a header, and the store's own.
      let size = partial[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
      let whole = StoreMessage.headerSize + size
      guard partial.count >= whole, let message = StoreMessage(Bytes(partial[..<whole])) else {
        return
      }
      partial.removeFirst(whole)
      pass(message, now)
    }
  }

  private func pass(_ original: StoreMessage, _ now: UInt64) {
    var message = original
    let isAnswer = message.type != .watchEvent
    let isMeant = state.act != .again || message.type == .transactionEnd
    guard isAnswer, isMeant, state.clock.tick() else {
      return outgoing.append(contentsOf: message.bytes)
    }
    switch state.act {
    case .again: fail(&message, "EAGAIN\0")
    case .error: fail(&message, "EIO\0")
    case .badName: fail(&message, "EWHATEVER\0")
    case .wrongID: message.request &+= 77
    case .wrongOperation: message.type = message.type == .read ? .write : .read
    case .late: due = now &+ Self.delay
    case .unended: if message.payload.last == 0 { message.payload.removeLast() }
    case .doubled: outgoing.append(contentsOf: message.bytes)
    case .unasked:
      var other = message
      other.request = 0xdead_beef
      outgoing.append(contentsOf: other.bytes)
    case .watchStorm:
      let event = StoreMessage(type: .watchEvent, payload: Bytes("device\0999999\0"))
      for _ in 0..<300 { outgoing.append(contentsOf: event.bytes) }
    case .oversized:
      var bytes = message.bytes
      bytes[13] = 0x77
      return outgoing.append(contentsOf: bytes)
    case .indexAhead: isFrozen = true
    default: break
    }
    outgoing.append(contentsOf: message.bytes)
  }

  private func fail(_ message: inout StoreMessage, _ name: StaticString) {
    message.type = .error
    message.payload = Bytes(name)
  }

  private func strikeConsole() {
    guard state.act != .eventStorm, state.act != .late, state.clock.tick() else { return }
    // SAFETY: the page is a whole one.
    let own = page.assumingMemoryBound(to: Xen.XenconsInterface.self)
    switch state.act {
    case .indexAhead:
      own.pointee.in_prod &+= 5000
      isFrozen = true
    case .overrun:
      own.pointee.out_cons &+= 5000
      isFrozen = true
    default: outgoing.append(contentsOf: Bytes(repeating: 0xa5, count: 64))
    }
  }
}
