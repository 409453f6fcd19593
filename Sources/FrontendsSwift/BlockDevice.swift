// The block frontend and xenbus: what is offered, agreed on and written, and what happens to requests
// under way when a connection ends. BlockDispatch.swift tells how requests go.

import CXenABI
import XenABI

let sectorSize: UInt64 = 512
let sectorsPerPage = UInt64(pageSize) / sectorSize
let segmentsPerPage = UInt32(pageSize / MemoryLayout<blkif_request_segment>.size)
let plainSegments = UInt32(BLKIF_MAX_SEGMENTS_PER_REQUEST)
private let queuesMax: UInt32 = 8
private let slotsInPage: UInt32 = 32

/// A disk.
///
/// A request is handed in and comes back through its `done`; it survives the backend's end and
/// return in between.
///
/// Data is copied through pages of the driver's own, so that a backend never sees or changes what
/// stands beside it, and a page that a backend does not let go of is none of the caller's. A kernel makes
/// a subclass that hears of `ready` and `gone`.
open class BlockDevice<OS: PortingLayer>: Device<OS> {
  /// Changes show at the next connection.
  public var options: BlockOptions

  /// Of the present connection.
  public internal(set) var sectors: UInt64 = 0
  public internal(set) var isReadOnly = false
  public internal(set) var isRemovable = false
  public internal(set) var isCDROM = false
  public internal(set) var hasFlush = false
  public internal(set) var hasBarrier = false
  public internal(set) var hasDiscard = false
  public internal(set) var hasSecureDiscard = false
  public internal(set) var isPersistent = false
  /// Bytes.
  public internal(set) var discardGranularity: UInt32 = 0
  public internal(set) var discardAlignment: UInt32 = 0
  public internal(set) var segmentsMax: UInt32 = 0
  public internal(set) var ringOrder: UInt32 = 0
  /// Queues of the present connection.
  public var queueCount: Int { queues.count }

  var isUsable = false
  var isDispatching = false
  var isGone = false
  var queues: [BlockQueue<OS>] = []
  var nextQueue = 0
  var underWay = 0
  var serial: UInt64 = 0
  var progress: UInt64 = 0
  /// Requests that wait, linked.
  var first: BlockRequest?
  var last: BlockRequest?
  /// Goes alone until it is answered.
  var barrier: BlockRequest?
  var retry: [Piece] = []
  var freePieces: [Piece]
  var pool: [PoolPage]
  /// The backend may still use them.
  var limbo: [PoolPage] = []

  /// A disk that has been found at a path.
  public init(bus: Bus<OS>, path: Text, options wanted: BlockOptions = BlockOptions()) {
    var options = wanted
    options.queues = min(max(options.queues, 1), queuesMax)
    options.ringOrder = min(options.ringOrder, ringOrderMax)
    options.indirectSegments = min(options.indirectSegments, segmentsPerPage)
    options.poolPages = max(options.poolPages, 2)
    self.options = options
    // Twice the slots: as many as can be under way, and as many to be tried again.
    let pieces = 2 * options.queues * (slotsInPage << options.ringOrder)
    freePieces = (0..<pieces).map { _ in Piece() }
    pool = (0..<options.poolPages).map { _ in PoolPage() }
    super.init(bus: bus, path: path)
  }

  /// The disk can be used, first and after each reconnection.
  open func ready() {}
  /// A disk that was ready before is about to go.
  open func gone() {}

  open override func setUp() throws(Failure) {
    let pages = offer("max-ring-pages", otherwise: 1)
    var order = min(offer("max-ring-page-order"), UInt64(ringOrderMax))
    while order < UInt64(ringOrderMax), 2 << order <= pages { order += 1 }
    ringOrder = min(UInt32(order), options.ringOrder)
    for _ in 0..<agreedQueues(options.queues) {
      let queue = BlockQueue(
        try SharedRing<OS, blkif_request, blkif_response>(bus, backendID, order: ringOrder))
      queues.append(queue)
      queue.port = try bus.events.open(backendID) { self.queueEvent(queue) }
    }
    refillPool()
    progress = OS.time()
  }

  open override func publish(_ transaction: UInt32) throws(Failure) {
    try publish("feature-persistent", options.persistent ? 1 : 0, transaction)
    if ringOrder == 0 {
      try unpublish("ring-page-order", transaction)
      try unpublish("num-ring-pages", transaction)
    } else {
      try publish("ring-page-order", UInt64(ringOrder), transaction)
      try publish("num-ring-pages", 1 << UInt64(ringOrder), transaction)
    }
    let native = Text(stringLiteral: Xen.RingProtocol.native)
    try bus.store.write(path / "protocol", native, in: transaction)
    let folders = try queueFolders(queues.count, transaction)
    for (queue, folder) in zip(queues, folders) {
      try publish("event-channel", UInt64(queue.port), transaction, in: folder)
      for (index, reference) in queue.shared.references.enumerated() {
        let key = ringOrder == 0 ? "ring-ref" : "ring-ref" + Text(number: UInt64(index))
        try publish(key, UInt64(reference), transaction, in: folder)
      }
    }
  }

  /// Out of keys that the backend wrote; false where they cannot be right.
  private func readProperties() -> Bool {
    let sectors = offer("sectors")
    let info = offer("info")
    // Larger sectors come only to those who ask for them.
    if offer("sector-size", otherwise: sectorSize) != sectorSize || sectors == 0
      || sectors > UInt64.max / sectorSize
    {
      return false
    }
    self.sectors = sectors
    let mode = try? bus.store.read(backend / "mode", most: 7)
    isReadOnly = info & UInt64(VDISK_READONLY) != 0 || mode == "r"
    isRemovable = info & UInt64(VDISK_REMOVABLE) != 0
    isCDROM = info & UInt64(VDISK_CDROM) != 0
    return true
  }

  open override func connected() throws(Failure) {
    if !readProperties() { throw Failure(XEN_EINVAL) }
    hasFlush = agrees(options.flush, "feature-flush-cache")
    hasBarrier = agrees(options.barrier, "feature-barrier")
    hasDiscard = agrees(options.discard, "feature-discard")
    hasSecureDiscard = agrees(hasDiscard, "discard-secure")
    isPersistent = agrees(options.persistent, "feature-persistent")
    discardGranularity = UInt32(clamping: offer("discard-granularity", otherwise: sectorSize))
    discardAlignment = UInt32(clamping: offer("discard-alignment"))
    let segments = UInt32(clamping: offer("feature-max-indirect-segments"))
    segmentsMax = max(min(segments, options.indirectSegments, segmentsPerPage), plainSegments)
    progress = OS.time()
    isUsable = true
    dispatch()
    ready()
  }

  /// The disk's size may have changed.
  open override func changed() {
    if !readProperties() { reportFault("block: properties became impossible") }
  }

  open override func stop() {
    isUsable = false
    progress = OS.time()
    for queue in queues {
      for slot in queue.slots.indices {
        guard let piece = queue.slots[slot] else { continue }
        queue.slots[slot] = nil
        underWay -= 1
        // The backend may write into its pages until it has closed.
        limbo += piece.takeAllPages()
        piece.tries += fault != nil ? 1 : 0
        if fault != nil, piece.tries >= options.tries {
          end(piece, Failure(XEN_EIO))
        } else {
          tryAgain(piece)
        }
      }
      queue.underWay = 0
    }
  }

  open override func tearDown() {
    for queue in queues {
      bus.events.close(queue.port)
      queue.shared.close()
    }
    queues = []
    let pages = pool + limbo
    pool.removeAll(keepingCapacity: true)
    limbo.removeAll(keepingCapacity: true)
    for page in pages {
      release(page)
      // The next backend may be another, who shall not see what this one did.
      page.memory?.initializeMemory(as: UInt8.self, repeating: 0, count: pageSize)
    }
  }

  open override func removed() {
    isGone = true
    failAll(Failure(XEN_ENODEV))
    if connections > 0 { gone() }
    for page in pool {
      if let memory = page.memory { OS.freePages(memory, 1) }
    }
    pool = []
  }

  open override func poll() {
    refillPool()
    for queue in queues where isUsable { queueEvent(queue) }  // in case an event got lost
    let now = OS.time()  // only now: nothing that was just issued is of later
    for queue in queues where isUsable && queue.isOverdue(now, options.requestTimeout) {
      reportFault("block: a response is overdue")
    }
    if fault != nil { isUsable = false }
    let timeout = isUsable ? options.requestTimeout : options.reconnectTimeout
    if first != nil || !retry.isEmpty, underWay == 0, now &- progress > timeout {
      failAll(Failure(XEN_EIO))
    }
  }
}
