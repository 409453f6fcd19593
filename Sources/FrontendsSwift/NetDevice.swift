// The network frontend.
//
//     send    --> copy into free buffers --> tx ring --> backend
//                    ^-- response: the id is looked up among the buffers under way
//     receive <-- copy, whole frames <-- rx ring <-- backend
//                    '-- the buffer goes back into the ring at once
//
// Responses of the rx ring come in order, and some are no responses but extras, without an id: so the
// slot tells the buffer. A frame's slots are taken one by one, with the state kept in the queue, as a
// backend may publish the first half of a frame now and the other half later, or never.

import CXenABI
import XenABI

let buffersMax = 256
let frameMax = Int(XEN_NETIF_MAX_TX_SIZE)
let framePages = 16
let headerMin = 14
private let queuesMax: UInt32 = 8

/// What travels with a frame in either direction.
public struct NetOffload {
  /// The TCP or UDP checksum holds the pseudo-header's sum only.
  public var isChecksumBlank = false
  /// Received: the checksum is known to be good.
  public var isValidated = false
  /// XEN_NETIF_GSO_TYPE; with `isChecksumBlank` always.
  public var gsoType: UInt8 = 0
  /// Payload of each packet that the frame is to be cut into.
  public var gsoSize: UInt16 = 0

  /// None.
  public init() {}
}

/// What to ask for; what the backend does not offer is left out.
public struct NetOptions {
  public var sg = true
  public var checksum = true
  public var checksum6 = true
  public var gso4 = true
  public var gso6 = true
  public var multicast = false
  public var splitEvents = true
  /// Up to 8.
  public var queues: UInt32 = 1
  /// Pages of a queue, up to 256 each.
  public var txBuffers = 128
  public var rxBuffers = 128
  /// Nanoseconds until an answer counts as lost.
  public var sendTimeout: UInt64 = 30_000_000_000

  /// Everything but the filter of multicasts.
  public init() {}
}

/// Rings, buffers, and the frame that is being received.
final class NetQueue<OS: PortingLayer> {
  enum Use: UInt8 {
    case free
    case piece
    /// The first piece of one.
    case frame
  }

  let tx: SharedRing<OS, netif_tx_request, netif_tx_response>
  let rx: SharedRing<OS, netif_rx_request, netif_rx_response>
  let txBuffers: SharedPages<OS>
  let rxBuffers: SharedPages<OS>
  var port = Events<OS>.none
  /// With split events alone.
  var rxPort = Events<OS>.none
  var txUse = [Use](repeating: .free, count: buffersMax)
  var free: [UInt16] = []
  /// Slots of the tx ring that are no buffers.
  var extras = 0
  /// When tx was last answered, or began.
  var progress: UInt64 = 0
  /// The buffer of each slot of the rx ring.
  var rxBuffer = [UInt8](repeating: 0, count: buffersMax)

  let frame: UnsafeMutableRawPointer
  var length = 0
  var isOpen = false
  /// Such slots follow.
  var hasExtra = false
  var hasMore = false
  var isBad = false
  var offload = NetOffload()

  /// What an error leaves behind is taken away.
  init(_ bus: Bus<OS>, _ backend: UInt16, _ options: NetOptions) throws(Failure) {
    var opened: [() -> Void] = []
    do throws(Failure) {
      guard let frame = OS.pages(framePages) else { throw Failure(XEN_ENOMEM) }
      self.frame = frame
      opened.append { OS.freePages(frame, framePages) }
      let tx = try SharedRing<OS, netif_tx_request, netif_tx_response>(bus, backend, order: 0)
      self.tx = tx
      opened.append { tx.close() }
      let txBuffers = try SharedPages(bus, backend, count: options.txBuffers, readOnly: true)
      self.txBuffers = txBuffers
      opened.append { txBuffers.close() }
      let rx = try SharedRing<OS, netif_rx_request, netif_rx_response>(bus, backend, order: 0)
      self.rx = rx
      opened.append { rx.close() }
      rxBuffers = try SharedPages(bus, backend, count: options.rxBuffers, readOnly: false)
    } catch {
      for close in opened { close() }
      throw error
    }
    free = (0..<options.txBuffers).map { UInt16($0) }
    for index in 0..<options.rxBuffers { putBuffer(UInt8(index)) }
    _ = rx.ring.push()
  }

  func close() {
    tx.close()
    txBuffers.close()
    rx.close()
    rxBuffers.close()
    OS.freePages(frame, framePages)
  }

  /// Puts a buffer into the rx ring.
  func putBuffer(_ index: UInt8) {
    let slot = Int(rx.ring.requestIndex & (rx.ring.count - 1))
    var request = netif_rx_request()
    request.id = UInt16(truncatingIfNeeded: slot)
    request.gref = rxBuffers.references[Int(index)]
    rxBuffer[slot] = index
    _ = rx.ring.put(request)
  }
}

/// A network interface.
///
/// Frames are copied into and out of pages of the driver's own, which stay granted for as long as a
/// connection lasts: a backend sees frames and nothing beside them, and a frame that has been handed on
/// does not change any more. A kernel makes a subclass that takes the frames.
open class NetDevice<OS: PortingLayer>: Device<OS> {
  /// Changes show at the next connection.
  public var options: NetOptions
  /// The interface's address.
  public internal(set) var address = [UInt8](repeating: 0, count: 6)
  public internal(set) var mtu = 1500

  /// Of the present connection, for sending.
  public internal(set) var hasSG = false
  public internal(set) var hasChecksum = false
  public internal(set) var hasChecksum6 = false
  public internal(set) var hasGSO4 = false
  public internal(set) var hasGSO6 = false
  public internal(set) var hasMulticast = false
  public internal(set) var hasSplitEvents = false
  /// Queues of the present connection.
  public var queueCount: Int { queues.count }

  /// Frames; lost are those that the backend had not answered when it went.
  public internal(set) var sent: UInt64 = 0
  public internal(set) var sendErrors: UInt64 = 0
  public internal(set) var lost: UInt64 = 0
  public internal(set) var received: UInt64 = 0
  public internal(set) var receiveErrors: UInt64 = 0

  var isUsable = false
  var isFull = false
  var queues: [NetQueue<OS>] = []
  var multicasts: [[UInt8]] = []

  /// An interface that has been found at a path.
  public init(bus: Bus<OS>, path: Text, options: NetOptions = NetOptions()) {
    self.options = options
    super.init(bus: bus, path: path)
  }

  /// The interface can be used, first and after each reconnection.
  open func ready() {}
  /// An interface that was ready before is about to go.
  open func gone() {}
  /// A frame has come; it is gone after the call.
  ///
  /// Event or driver context.
  open func receive(_ frame: UnsafeRawBufferPointer, _ offload: NetOffload) {}
  /// After EAGAIN there is room again.
  ///
  /// Event or driver context.
  open func writable() {}

  private func demand(_ isGood: Bool, _ what: StaticString) {
    if isGood { return }
    isUsable = false
    reportFault(what)
  }

  /// Event context; and each poll.
  func queueEvent(_ queue: NetQueue<OS>) {
    guard isUsable, fault == nil else { return }
    demand(
      queue.tx.drain(budget: buffersMax) { isAnswer($0, queue) }, "net: impossible tx response")
    if isUsable, fault == nil {
      demand(queue.rx.drain(budget: buffersMax) { take($0, queue) }, "net: impossible rx response")
    }
    if !isUsable { return }
    queue.rx.push(queue.rxPort == Events<OS>.none ? queue.port : queue.rxPort)
    if isFull, !queue.free.isEmpty {
      isFull = false
      writable()
    }
  }

  open override var publishedState: Int32 { XenbusStateConnected }

  open override func setUp() throws(Failure) {
    if offer("feature-rx-copy") == 0 { throw Failure(XEN_EOPNOTSUPP) }
    options.txBuffers = min(max(options.txBuffers, 1), buffersMax)
    options.rxBuffers = min(max(options.rxBuffers, 1), buffersMax)
    hasSG = agrees(options.sg, "feature-sg")
    hasChecksum = options.checksum && offer("feature-no-csum-offload") == 0
    hasChecksum6 = agrees(options.checksum6, "feature-ipv6-csum-offload")
    hasGSO4 = agrees(options.gso4, "feature-gso-tcpv4")
    hasGSO6 = agrees(options.gso6, "feature-gso-tcpv6")
    hasMulticast = agrees(options.multicast, "feature-multicast-control")
    hasSplitEvents = agrees(options.splitEvents, "feature-split-event-channels")
    mtu = Int(min(bus.store.number(path / "mtu", otherwise: 1500), UInt64(frameMax)))
    if let text = try? bus.store.read(path / "mac", most: 23), let found = text.ethernetAddress {
      address = found
    }
    for _ in 0..<agreedQueues(min(options.queues, queuesMax)) {
      let queue = try NetQueue(bus, backendID, options)
      queues.append(queue)
      queue.port = try bus.events.open(backendID) { self.queueEvent(queue) }
      if hasSplitEvents {
        queue.rxPort = try bus.events.open(backendID) { self.queueEvent(queue) }
      }
    }
  }

  open override func publish(_ transaction: UInt32) throws(Failure) {
    let keys: [(Text, Bool)] = [
      ("request-rx-copy", true), ("feature-rx-notify", true), ("feature-sg", options.sg),
      ("feature-no-csum-offload", !options.checksum),
      ("feature-ipv6-csum-offload", options.checksum6), ("feature-gso-tcpv4", options.gso4),
      ("feature-gso-tcpv6", options.gso6), ("request-multicast-control", hasMulticast),
    ]
    for (key, value) in keys { try publish(key, value ? 1 : 0, transaction) }
    let folders = try queueFolders(queues.count, transaction)
    for (queue, folder) in zip(queues, folders) {
      let isSplit = queue.rxPort != Events<OS>.none
      try publish("tx-ring-ref", UInt64(queue.tx.references[0]), transaction, in: folder)
      try publish("rx-ring-ref", UInt64(queue.rx.references[0]), transaction, in: folder)
      let key: Text = isSplit ? "event-channel-tx" : "event-channel"
      try publish(key, UInt64(queue.port), transaction, in: folder)
      if isSplit {
        try publish("event-channel-rx", UInt64(queue.rxPort), transaction, in: folder)
      }
    }
  }

  open override func connected() throws(Failure) {
    isUsable = true
    for address in multicasts { try? tell(address, isAdded: true) }
    ready()
  }

  open override func stop() {
    isUsable = false
    for queue in queues {
      lost &+= UInt64(queue.txUse.count { $0 == .frame })
      queue.txUse = Array(repeating: .free, count: buffersMax)
    }
  }

  open override func tearDown() {
    for queue in queues {
      bus.events.close(queue.port)
      bus.events.close(queue.rxPort)
      queue.close()
    }
    queues = []
  }

  open override func removed() {
    if connections > 0 { gone() }
  }

  open override func poll() {
    for queue in queues where isUsable {
      queueEvent(queue)  // in case an event got lost
      let now = OS.time()  // only now: what the event sent has no later time
      if queue.tx.ring.unanswered > 0, now &- queue.progress > options.sendTimeout {
        demand(false, "net: a response is overdue")
      }
    }
  }
}
