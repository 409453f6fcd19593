// The backend of a guest's network interface: its keys in the store, its queues and ports, and its
// place on the bridge.

import XenABI

/// What a network backend offers to its guests; a test turns single features off.
public struct NetFeatures: Sendable {
  /// Frames of several pieces.
  public var scatterGather = true
  /// Missing checksums over IPv4.
  public var checksumIPv4 = true
  /// Missing checksums over IPv6.
  public var checksumIPv6 = true
  /// Large segments over IPv4.
  public var segmentsIPv4 = true
  /// Large segments over IPv6.
  public var segmentsIPv6 = true
  /// A filter of groups.
  public var multicastControl = true
  /// Ports of their own for both directions.
  public var splitPorts = true
  /// Largest frame to the guest that is no large segment: Ethernet's, with a tag (802.1Q).
  public var largestFrame = 1518
  /// Queues of an interface.
  public var queues = 4
  /// Groups that a guest can ask for.
  public var groups = 64

  /// Everything.
  public init() {}
}

/// A guest's interface on the bridge.
final class GuestPort<Grants: GrantAccess>: NetworkPort {
  var queues: [NetQueue<Grants>] = []
  /// Groups that the guest wants; `nil` for all.
  var groups: Set<MACAddress>?

  override func wants(group: MACAddress) -> Bool {
    group == .broadcast || groups?.contains(group) ?? true
  }
  override func send(_ packet: Packet) -> Bool {
    guard !queues.isEmpty else { return false }
    let queue = queues.count == 1 ? 0 : Int(flow(packet.bytes) % UInt32(queues.count))
    return queues[queue].append(packet)
  }

  /// Frames of one connection stay in one queue, and thus in order (FNV-1a over addresses and ports).
  private func flow(_ bytes: Bytes) -> UInt32 {
    var range = 0..<12
    if let header = TransportHeader(bytes) {
      range = header.network + (header.isIPv6 ? 8 : 12)..<header.transport + 4
    }
    var hash: UInt32 = 0x811c_9dc5
    for index in range { hash = (hash ^ UInt32(bytes[index])) &* 0x0100_0193 }
    return hash ^ hash >> 16
  }
}

/// An interface's backend.
public final class NetBackend<Grants: GrantAccess, Events: EventAccess>: BackendDriver {
  /// As with Linux's: GNU Mach reads the features in state 3 and asks for copies behind that.
  public static var isCompleteWhenInitialised: Bool { false }

  private let bridge: Bridge
  private let grants: Grants
  private let events: Events
  private let domain: DomainID
  private let address: MACAddress?
  private let features: NetFeatures
  private let port = GuestPort<Grants>(offloads: PortOffloads())
  /// The ports of each queue: for what the guest sends, and for what it receives.
  private var ports: [(transmit: EventPort, receive: EventPort)] = []

  /// A backend for a guest; an address that the toolstack gave is nobody else's on the bridge.
  public init(
    bridge: Bridge, grants: Grants, events: Events, domain: DomainID, address: MACAddress?,
    features: NetFeatures = NetFeatures()
  ) {
    self.bridge = bridge
    self.grants = grants
    self.events = events
    self.domain = domain
    self.address = address
    self.features = features
  }

  /// Frames that found no room at the guest, or were refused from it.
  public var dropped: UInt64 { port.dropped }

  public func announce<Store: StoreAccessing>(_ keys: BackendKeys<Store>) {
    keys.set("feature-rx-copy", true)
    keys.set("feature-sg", features.scatterGather)
    keys.set("feature-no-csum-offload", !features.checksumIPv4)
    keys.set("feature-ipv6-csum-offload", features.checksumIPv6)
    keys.set("feature-gso-tcpv4", features.segmentsIPv4)
    keys.set("feature-gso-tcpv6", features.segmentsIPv6)
    keys.set("feature-multicast-control", features.multicastControl)
    keys.set("feature-split-event-channels", features.splitPorts)
    keys.set("multi-queue-max-queues", UInt64(features.queues))
  }
  public func connect<Store: StoreAccessing>(
    _ frontend: FrontendKeys<Store>, _ keys: BackendKeys<Store>
  ) throws(XenbusFault) {
    guard frontend.isSet("request-rx-copy") else { throw .unsupported }
    let count = try frontend.number("multi-queue-num-queues", to: UInt64(features.queues), or: 1)
    guard count > 0 else { throw .malformed }
    let isScattered = frontend.isSet("feature-sg")
    port.offloads.largestFrame = features.largestFrame
    port.offloads.checksumIPv4 = !frontend.isSet("feature-no-csum-offload")
    port.offloads.checksumIPv6 = frontend.isSet("feature-ipv6-csum-offload")
    // A segment larger than a page needs pieces.
    port.offloads.segmentsIPv4 = isScattered && frontend.isSet("feature-gso-tcpv4")
    port.offloads.segmentsIPv6 = isScattered && frontend.isSet("feature-gso-tcpv6")
    let isFiltered = features.multicastControl && frontend.isSet("request-multicast-control")
    port.groups = isFiltered ? [] : nil
    do throws(XenbusFault) {
      for number in 0..<Int(count) {
        try open(count == 1 ? frontend : frontend.queue(number))
      }
    } catch {
      _ = finish()
      throw error
    }
    bridge.attach(port, address: address)
  }
  private func open<Store: StoreAccessing>(_ keys: FrontendKeys<Store>) throws(XenbusFault) {
    let transmit = try keys.reference(Bytes("tx-ring-ref"))
    let receive = try keys.reference(Bytes("rx-ring-ref"))
    let isSplit = features.splitPorts && keys.text(Bytes("event-channel-tx")) != nil
    let first = try keys.port(isSplit ? "event-channel-tx" : "event-channel")
    let second = isSplit ? try keys.port("event-channel-rx") : first
    guard
      let queue = NetQueue(grants: grants, domain: domain, transmit: transmit, receive: receive)
    else { throw .notGranted }
    port.queues.append(queue)
    guard let bound = events.bind(first, of: domain) else { throw .notBound }
    guard isSplit else {
      ports.append((bound, bound))
      return
    }
    guard let other = events.bind(second, of: domain) else {
      events.unbind(bound)
      throw .notBound
    }
    ports.append((bound, other))
  }

  /// Takes an event; `nil` if the port is another's.
  ///
  /// ``Progress/more`` asks for another call. Frames for other ports wait there until ``flush()`` of theirs.
  public func handle(_ event: EventPort, now: UInt64) -> Progress? {
    guard let index = ports.firstIndex(where: { $0.transmit == event || $0.receive == event })
    else { return nil }
    var progress = Progress()
    if ports[index].transmit == event {
      progress = port.queues[index].take(frames: 64) { change in
        filter(change)
      } body: { packet in
        bridge.forward(packet, from: port, now: now)
      }
      if progress.notify { events.notify(ports[index].transmit) }
    }
    flush(index)
    return progress
  }

  /// A guest may ask for ever more groups; beyond the limit it hears them all.
  private func filter(_ change: GroupChange) {
    guard port.groups != nil else { return }
    if !change.isAdded {
      port.groups?.remove(change.address)
    } else if port.groups?.contains(change.address) != true {
      port.groups?.insert(change.address)
      if let count = port.groups?.count, count > features.groups { port.groups = nil }
    }
  }
  private func flush(_ index: Int) {
    let progress = port.queues[index].flush()
    if progress.notify { events.notify(ports[index].receive) }
  }

  /// Moves waiting frames to the guest; called after every round of events.
  public func flush() {
    for index in ports.indices { flush(index) }
  }
  public func stop() { bridge.detach(port) }
  public func abandon() { stop() }

  public func finish() -> Bool {
    bridge.detach(port)
    for queue in port.queues { queue.close() }
    for pair in ports {
      events.unbind(pair.transmit)
      if pair.receive != pair.transmit { events.unbind(pair.receive) }
    }
    port.queues = []
    ports = []
    return true
  }
}
