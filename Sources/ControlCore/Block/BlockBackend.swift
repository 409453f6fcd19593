// The backend of one disk of one guest: its keys in the store, its queues and their ports.

import XenABI

/// A disk's backend.
public final class BlockBackend<Device: BlockDevice, Grants: GrantAccess, Events: EventAccess>:
  BackendDriver
{
  public static var isCompleteWhenInitialised: Bool { true }

  private let device: Device
  private let grants: Grants
  private let events: Events
  private let domain: DomainID
  private let features: BlockFeatures
  private var queues: [BlockQueue<Device, Grants>] = []
  private var ports: [EventPort] = []

  /// A backend of a disk for a guest.
  public init(
    device: Device, grants: Grants, events: Events, domain: DomainID,
    features: BlockFeatures = BlockFeatures()
  ) {
    self.device = device
    self.grants = grants
    self.events = events
    self.domain = domain
    self.features = features
  }
  public func announce<Store: StoreAccessing>(_ keys: BackendKeys<Store>) {
    let pages = 1 << UInt64(features.ringPageOrder)
    keys.set("max-ring-page-order", UInt64(features.ringPageOrder))
    keys.set("max-ring-pages", UInt64(pages))
    keys.set("multi-queue-max-queues", UInt64(features.queues))
    keys.set("feature-persistent", features.persistent)
    keys.set("feature-max-indirect-segments", UInt64(features.indirectSegments))
    keys.set("feature-flush-cache", features.flush && device.canFlush)
    keys.set("feature-barrier", features.barrier && device.canFlush)
    let canDiscard = features.discard && device.canDiscard
    keys.set("feature-discard", canDiscard)
    if canDiscard {
      keys.set("discard-secure", device.canDiscardSecurely)
      keys.set("discard-granularity", UInt64(512))
      keys.set("discard-alignment", UInt64(0))
    }
  }
  public func connect<Store: StoreAccessing>(
    _ frontend: FrontendKeys<Store>, _ keys: BackendKeys<Store>
  ) throws(XenbusFault) {
    let layout: BlkifLayout
    if let name = frontend.text(Bytes("protocol")) {
      guard let known = BlkifLayout(name) else { throw .unsupported }
      layout = known
    } else {
      layout = .native
    }
    let count = try frontend.number("multi-queue-num-queues", to: UInt64(features.queues), or: 1)
    guard count > 0 else { throw .malformed }
    let isPersistent = features.persistent && frontend.isSet("feature-persistent")
    let pages = try ringPages(frontend)
    do throws(XenbusFault) {
      for number in 0..<Int(count) {
        let own = count == 1 ? frontend : frontend.queue(number)
        try open(own, number, pages: pages, layout, isPersistent)
      }
    } catch {
      _ = finish()
      throw error
    }
    keys.set("sectors", device.sectorCount)
    keys.set("sector-size", UInt64(512))
    keys.set("physical-sector-size", UInt64(512))
    keys.set("info", UInt64(device.isReadOnly ? Xen.BlkifInfo.readonly.rawValue : 0))
    // A request may have come before the port was bound.
    for index in queues.indices { run(index) }
  }

  /// Pages of each ring, or 0 for one page without a number in its key's name.
  ///
  /// The older form of the key counts pages itself.
  private func ringPages<Store: StoreAccessing>(
    _ frontend: FrontendKeys<Store>
  ) throws(XenbusFault) -> Int {
    let limit = UInt64(features.ringPageOrder)
    if let order = try frontend.number(Bytes("ring-page-order"), to: limit) {
      return 1 << Int(order)
    }
    if let pages = try frontend.number(Bytes("num-ring-pages"), to: 1 << limit) {
      guard pages > 0, pages & (pages - 1) == 0 else { throw .malformed }
      return Int(pages)
    }
    return 0
  }
  private func open<Store: StoreAccessing>(
    _ keys: FrontendKeys<Store>, _ number: Int, pages: Int, _ layout: BlkifLayout,
    _ isPersistent: Bool
  ) throws(XenbusFault) {
    var references: [GrantReference] = []
    if pages == 0 || pages == 1 && keys.text(Bytes("ring-ref0")) == nil {
      references.append(try keys.reference(Bytes("ring-ref")))
    } else {
      for page in 0..<pages {
        references.append(
          try keys.reference(Bytes("ring-ref") + Bytes(decimal: UInt64(page))))
      }
    }
    let remote = try keys.port("event-channel")
    guard
      let queue = BlockQueue(
        device: device, grants: grants, domain: domain, number: number, ring: references,
        layout: layout, features: features, isPersistent: isPersistent)
    else { throw .notGranted }
    queues.append(queue)
    guard let port = events.bind(remote, of: domain) else { throw .notBound }
    ports.append(port)
  }

  /// Takes an event; `nil` if the port is another's.
  ///
  /// ``Progress/more`` asks for another call.
  public func handle(_ port: EventPort) -> Progress? {
    guard let index = ports.firstIndex(of: port) else { return nil }
    return run(index)
  }

  /// Lets a queue work, and notifies its guest.
  @discardableResult
  private func run(_ index: Int) -> Progress { deliver(queues[index].run(), index) }

  private func deliver(_ progress: Progress, _ index: Int) -> Progress {
    if progress.notify, index < ports.count { events.notify(ports[index]) }
    // A guest that broke its ring is served no longer; it can close and come back.
    if progress.isBroken { queues[index].stop() }
    return progress
  }

  /// Notes that the disk has done a command.
  public func complete(token: UInt64, isGood: Bool) -> Progress {
    let index = Int(truncatingIfNeeded: token >> 32)
    guard index < queues.count else { return Progress() }
    let progress = deliver(queues[index].complete(token: token, isGood: isGood), index)
    // The room that this made on the disk may be what another queue waits for.
    for other in queues where other !== queues[index] { other.submitWaiting() }
    return progress
  }

  /// Hands over what the disk had no room for; called when others have made some.
  public func submitWaiting() { for queue in queues { queue.submitWaiting() } }

  /// Commands that the disk works on.
  public var inFlightCount: Int { queues.reduce(0) { $0 + $1.inFlightCount } }
  public func abandon() { for queue in queues { queue.abandon() } }
  public func stop() { for queue in queues { queue.stop() } }

  public func finish() -> Bool {
    for queue in queues where !queue.isIdle { return false }
    for queue in queues { _ = queue.close() }
    for port in ports { events.unbind(port) }
    queues = []
    ports = []
    return true
  }
}
