// Devices of the Swift frontends behind the C interface: each has a C structure, which shows the C side
// what it is, and whose options are taken over. A driver in C hangs on the Swift bus as one in Swift does.

import CFrontends
import CXenABI

/// Those that are there.
enum Devices {
  nonisolated(unsafe) static var disks: [Disk] = []
  nonisolated(unsafe) static var interfaces: [Interface] = []
  nonisolated(unsafe) static var others: [Other] = []

  /// Takes over what the C side may change.
  static func adopt() {
    for disk in disks { disk.options = BlockOptions(disk.shown.pointee.options) }
    for interface in interfaces {
      interface.options = NetOptions(interface.shown.pointee.options)
    }
  }

  /// Shows the C side what is.
  static func show() {
    for disk in disks { disk.show() }
    for interface in interfaces { interface.show() }
    for other in others { other.show() }
  }

  static func device(_ shown: UnsafeMutablePointer<xg_device>) -> Device<Host>? {
    let place = UnsafeMutableRawPointer(shown)
    if let disk = disks.first(where: { UnsafeMutableRawPointer($0.shown) == place }) { return disk }
    if let interface = interfaces.first(where: { UnsafeMutableRawPointer($0.shown) == place }) {
      return interface
    }
    return others.first { $0.shown == shown }
  }
}

/// A zeroed structure that the test's machine counts: one that is left over is found.
private func allocate<Structure>(_: Structure.Type) -> UnsafeMutablePointer<Structure>? {
  xg_os_alloc(MemoryLayout<Structure>.size)?.assumingMemoryBound(to: Structure.self)
}

private func put(_ text: Text, _ place: UnsafeMutableRawBufferPointer) {
  place.copyBytes(from: text.bytes.prefix(place.count - 1) + [0])
}

extension Device<Host> {
  func show(_ shown: UnsafeMutablePointer<xg_device>, _ driver: UnsafePointer<xg_driver>) {
    shown.pointee.driver = driver
    withUnsafeMutableBytes(of: &shown.pointee.path) { put(path, $0) }
    withUnsafeMutableBytes(of: &shown.pointee.backend) { put(backend, $0) }
    shown.pointee.backend_id = backendID
    shown.pointee.id = id
    shown.pointee.phase = xg_phase(rawValue: UInt32(phase.rawValue))
    shown.pointee.fault = fault.map {
      UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self)
    }
    shown.pointee.faults = faults
    shown.pointee.connections = connections
  }
}

extension BlockOptions {
  init(_ options: xg_block_options) {
    self.init()
    flush = options.flush
    barrier = options.barrier
    discard = options.discard
    persistent = options.persistent
    indirectSegments = options.indirect_segments
    ringOrder = options.ring_order
    queues = options.queues
    poolPages = options.pool_pages
    tries = options.tries
    requestTimeout = options.request_timeout
    reconnectTimeout = options.reconnect_timeout
  }
}

final class Disk: BlockDevice<Host> {
  let shown: UnsafeMutablePointer<xg_block>
  let driver: UnsafePointer<xg_driver>

  init?(_ path: Text, _ driver: UnsafePointer<xg_driver>) {
    guard let shown = allocate(xg_block.self) else { return nil }
    self.shown = shown
    self.driver = driver
    super.init(bus: world.bus, path: path, options: BlockOptions(hooks_block_options()))
    shown.pointee.options = hooks_block_options()
    shown.pointee.options.queues = options.queues
    shown.pointee.options.ring_order = options.ringOrder
    shown.pointee.options.indirect_segments = options.indirectSegments
    shown.pointee.options.pool_pages = options.poolPages
    Devices.disks.append(self)
  }

  deinit { xg_os_free(shown, MemoryLayout<xg_block>.size) }

  override func ready() {
    Devices.show()
    hooks_block(shown, true)
  }

  override func gone() {
    Devices.show()
    hooks_block(shown, false)
  }

  override func removed() {
    super.removed()
    Devices.disks.removeAll { $0 === self }
  }

  func show() {
    UnsafeMutableRawPointer(shown).withMemoryRebound(to: xg_device.self, capacity: 1) {
      show($0, driver)
    }
    shown.pointee.sectors = sectors
    shown.pointee.read_only = isReadOnly
    shown.pointee.removable = isRemovable
    shown.pointee.cdrom = isCDROM
    shown.pointee.flush = hasFlush
    shown.pointee.barrier = hasBarrier
    shown.pointee.discard = hasDiscard
    shown.pointee.discard_secure = hasSecureDiscard
    shown.pointee.persistent = isPersistent
    shown.pointee.discard_granularity = discardGranularity
    shown.pointee.discard_alignment = discardAlignment
    shown.pointee.segments_max = segmentsMax
    shown.pointee.ring_order = ringOrder
    shown.pointee.queue_count = UInt32(queueCount)
  }
}

extension NetOptions {
  init(_ options: xg_net_options) {
    self.init()
    sg = options.sg
    checksum = options.checksum
    checksum6 = options.checksum6
    gso4 = options.gso4
    gso6 = options.gso6
    multicast = options.multicast
    splitEvents = options.split_events
    queues = options.queues
    txBuffers = Int(options.tx_buffers)
    rxBuffers = Int(options.rx_buffers)
    sendTimeout = options.send_timeout
  }
}

final class Interface: NetDevice<Host> {
  let shown: UnsafeMutablePointer<xg_net>
  let driver: UnsafePointer<xg_driver>

  init?(_ path: Text, _ driver: UnsafePointer<xg_driver>) {
    guard let shown = allocate(xg_net.self) else { return nil }
    self.shown = shown
    self.driver = driver
    super.init(bus: world.bus, path: path, options: NetOptions(hooks_net_options()))
    shown.pointee.options = hooks_net_options()
    Devices.interfaces.append(self)
  }

  deinit { xg_os_free(shown, MemoryLayout<xg_net>.size) }

  override func setUp() throws(Failure) {
    try super.setUp()
    shown.pointee.options.tx_buffers = UInt32(options.txBuffers)
    shown.pointee.options.rx_buffers = UInt32(options.rxBuffers)
  }

  override func ready() {
    Devices.show()
    hooks_net(shown, true)
  }

  override func gone() {
    Devices.show()
    hooks_net(shown, false)
  }

  override func receive(_ frame: UnsafeRawBufferPointer, _ offload: NetOffload) {
    guard let receive = shown.pointee.receive else { return }
    var copy = xg_net_offload()
    copy.checksum_blank = offload.isChecksumBlank
    copy.validated = offload.isValidated
    copy.gso_type = offload.gsoType
    copy.gso_size = offload.gsoSize
    Devices.show()
    receive(shown, frame.baseAddress?.assumingMemoryBound(to: UInt8.self), frame.count, &copy)
  }

  override func writable() {
    Devices.show()
    shown.pointee.writable?(shown)
  }

  override func removed() {
    super.removed()
    Devices.interfaces.removeAll { $0 === self }
  }

  func show() {
    UnsafeMutableRawPointer(shown).withMemoryRebound(to: xg_device.self, capacity: 1) {
      show($0, driver)
    }
    withUnsafeMutableBytes(of: &shown.pointee.mac) { $0.copyBytes(from: address) }
    shown.pointee.mtu = UInt32(mtu)
    shown.pointee.sg = hasSG
    shown.pointee.checksum = hasChecksum
    shown.pointee.checksum6 = hasChecksum6
    shown.pointee.gso4 = hasGSO4
    shown.pointee.gso6 = hasGSO6
    shown.pointee.multicast = hasMulticast
    shown.pointee.split_events = hasSplitEvents
    shown.pointee.queue_count = UInt32(queueCount)
    shown.pointee.sent = sent
    shown.pointee.send_errors = sendErrors
    shown.pointee.lost = lost
    shown.pointee.received = received
    shown.pointee.receive_errors = receiveErrors
  }
}

/// A device whose driver is in C.
final class Other: Device<Host> {
  let shown: UnsafeMutablePointer<xg_device>
  let driver: UnsafePointer<xg_driver>

  init?(_ path: Text, _ driver: UnsafePointer<xg_driver>) {
    let name = path.bytes.map { CChar(bitPattern: $0) } + [0]
    guard let shown = driver.pointee.create(name) else { return nil }
    self.shown = shown
    self.driver = driver
    super.init(bus: world.bus, path: path)
    Devices.others.append(self)
  }

  func show() { show(shown, driver) }

  private func check(_ error: Int32) throws(Failure) { if error != 0 { throw Failure(error) } }

  override var publishedState: Int32 { Int32(driver.pointee.published_state) }

  override func setUp() throws(Failure) {
    show()
    try check(driver.pointee.setup(shown))
  }

  override func publish(_ transaction: UInt32) throws(Failure) {
    show()
    try check(driver.pointee.publish(shown, transaction))
  }

  override func connected() throws(Failure) {
    show()
    try check(driver.pointee.connected(shown))
  }

  override func changed() {
    show()
    driver.pointee.changed?(shown)
  }

  override func stop() {
    show()
    driver.pointee.stop(shown)
  }

  override func tearDown() {
    show()
    driver.pointee.teardown(shown)
  }

  override func removed() {
    show()
    Devices.others.removeAll { $0 === self }
    driver.pointee.removed(shown)
  }

  override func poll() {
    show()
    driver.pointee.poll(shown)
  }
}

// The bus.

@c(xg_bus_start) public func busStart(
  _ drivers: UnsafePointer<UnsafePointer<xg_driver>>, _ count: Int
) -> Int32 {
  let list = (0..<count).map { index in
    let driver = drivers[index]
    let type = text(driver.pointee.type)
    return Driver<Host>(type: type) { path in
      if type == "vbd" { return Disk(path, driver) }
      if type == "vif" { return Interface(path, driver) }
      return Other(path, driver)
    }
  }
  return call { () throws(Failure) in try world.bus.start(list) }
}

@c(xg_bus_poll) public func busPoll() { _ = call { world.bus.poll() } }
@c(xg_bus_abandon) public func busAbandon() { _ = call { world.bus.abandon() } }
@c(xg_bus_resume) public func busResume() { _ = call { world.bus.resume() } }
@c(xg_bus_stop) public func busStop() { _ = call { world.bus.stop() } }

@c(xg_device_fault) public func deviceFault(
  _ shown: UnsafeMutablePointer<xg_device>, _ what: UnsafePointer<CChar>
) {
  xg_os_log(what)
  _ = call { Devices.device(shown)?.reportFault("a driver in C reports a fault") }
}

@c(xg_device_offer) public func deviceOffer(
  _ shown: UnsafeMutablePointer<xg_device>, _ key: UnsafePointer<CChar>, _ otherwise: UInt64
) -> UInt64 {
  Devices.device(shown)?.offer(text(key), otherwise: otherwise) ?? otherwise
}

@c(xg_device_agrees) public func deviceAgrees(
  _ shown: UnsafeMutablePointer<xg_device>, _ wanted: Bool, _ key: UnsafePointer<CChar>
) -> Bool {
  Devices.device(shown)?.agrees(wanted, text(key)) ?? false
}

// Disks.

private func request(_ place: UnsafeMutablePointer<xg_block_request>) -> BlockRequest {
  let operation = BlockOperation(rawValue: UInt8(place.pointee.operation.rawValue)) ?? .flush
  if operation == .flush {
    place.pointee.sector = 0
    place.pointee.count = 0
  }
  place.pointee.result = 0
  return BlockRequest(
    operation, sector: place.pointee.sector, count: place.pointee.count, data: place.pointee.data
  ) { request in
    place.pointee.result = request.failure.map { -$0.number } ?? 0
    Devices.show()
    place.pointee.done(place)
  }
}

private func disk(_ shown: UnsafeMutablePointer<xg_block>) throws(Failure) -> Disk {
  guard let disk = Devices.disks.first(where: { $0.shown == shown }) else {
    throw Failure(XEN_ENODEV)
  }
  return disk
}

@c(xg_block_submit) public func blockSubmit(
  _ shown: UnsafeMutablePointer<xg_block>, _ place: UnsafeMutablePointer<xg_block_request>
) -> Int32 {
  call { () throws(Failure) in try disk(shown).submit(request(place)) }
}

@c(xg_block_wait) public func blockWait(
  _ shown: UnsafeMutablePointer<xg_block>, _ place: UnsafeMutablePointer<xg_block_request>
) -> Int32 {
  call { () throws(Failure) in try disk(shown).wait(request(place)) }
}

// Interfaces.

private func interface(_ shown: UnsafeMutablePointer<xg_net>) throws(Failure) -> Interface {
  guard let interface = Devices.interfaces.first(where: { $0.shown == shown }) else {
    throw Failure(XEN_ENODEV)
  }
  return interface
}

@c(xg_net_send) public func netSend(
  _ shown: UnsafeMutablePointer<xg_net>, _ parts: UnsafePointer<xg_net_part>, _ count: Int,
  _ offload: UnsafePointer<xg_net_offload>?, _ flow: UInt32
) -> Int32 {
  var copy = NetOffload()
  if let offload {
    copy.isChecksumBlank = offload.pointee.checksum_blank
    copy.gsoType = offload.pointee.gso_type
    copy.gsoSize = offload.pointee.gso_size
  }
  return call { () throws(Failure) in
    // Lengths that no buffer here can have.
    for index in 0..<count where parts[index].length < 0 { throw Failure(XEN_EMSGSIZE) }
    let list = (0..<count).map {
      UnsafeRawBufferPointer(start: parts[$0].data, count: parts[$0].length)
    }
    try interface(shown).send(list, copy, flow: flow)
  }
}

@c(xg_net_multicast) public func netMulticast(
  _ shown: UnsafeMutablePointer<xg_net>, _ address: UnsafePointer<UInt8>, _ add: Bool
) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: address, count: 6))
  return call { () throws(Failure) in try interface(shown).setMulticast(bytes, isAdded: add) }
}
