// All that stands between the backends and the guests that have a fault: which memory is whose ring,
// which port belongs to it, what is kept mapped, and what becomes of it in each round.

public import ControlCore
import XenABI

/// What happens to a whole device.
public struct DeviceStrike {
  /// What is done.
  public let act: FaultAct
  /// The kind of device.
  public let target: FaultTarget
  /// Whose it is.
  public let domain: DomainID
}

/// What a round leads to.
public struct FaultRound {
  /// Ports whose backend has requests to look at.
  public var served: [EventPort] = []
  /// Ports that an event is sent by; some of them many times.
  public var events: [EventPort] = []
  /// Ports that are closed.
  public var closed: [EventPort] = []
  /// Mappings that end now.
  public var unmapped: [MappedPage] = []
  /// Devices that are struck.
  public var devices: [DeviceStrike] = []
  /// Faults that have struck for the first time, and whom.
  public var news: [(fault: Fault, domain: DomainID)] = []
}

/// The rings that a backend has mapped in one call, and their ports.
private final class FaultLine {
  let target: FaultTarget
  let domain: DomainID
  let state: FaultState
  /// The guest's own pages.
  let pages: [MappedPage]
  var ports: [EventPort] = []
  var disk: RingProxy<Xen.BlkifRequest, Xen.BlkifResponse>?
  var narrowDisk: RingProxy<BlkifNarrowSlot, BlkifNarrowResponse>?
  var transmit: RingProxy<Xen.NetifTxRequest, Xen.NetifTxResponse>?
  var receive: RingProxy<Xen.NetifRxRequest, Xen.NetifRxResponse>?

  init(_ target: FaultTarget, _ domain: DomainID, _ state: FaultState, _ pages: [MappedPage]) {
    self.target = target
    self.domain = domain
    self.state = state
    self.pages = pages
  }

  func shows(_ page: MappedPage) -> Bool { pages.contains { $0.handle == page.handle } }
}

/// The faults of a control domain.
public final class FaultBox {
  private let plans: [FaultPlan]
  private var states: [(target: FaultTarget, domain: DomainID, state: FaultState)] = []
  private var lines: [FaultLine] = []
  /// Data pages whose end may be put off, by their handles.
  private var keepable: [UInt32: FaultState] = [:]
  private var kept: [(page: MappedPage, due: UInt64)] = []
  private var streams: [StreamProxy] = []
  /// Ports that were closed under their backends.
  private var closed: [EventPort] = []
  private var now: UInt64 = 0

  /// How long a page stays mapped after its end.
  private static var keeping: UInt64 { 1_000_000_000 }

  /// A box of faults.
  public init(_ plans: [FaultPlan]) { self.plans = plans }

  /// The first fault of a guest's device, which has the same count over all connections.
  private func state(_ target: FaultTarget, _ domain: DomainID) -> FaultState? {
    for known in states where known.target == target && known.domain == domain {
      return known.state
    }
    guard
      let plan = plans.first(where: {
        $0.fault.target == target && $0.fault.act != .keys && $0.strikes(domain)
      })
    else { return nil }
    let state = FaultState(plan, domain)
    states.append((target, domain, state))
    return state
  }

  /// Keys that a guest finds in place of the backend's.
  public func keys(_ target: FaultTarget, of domain: DomainID) -> [(name: Bytes, value: Bytes)] {
    plans.filter { $0.fault.target == target && $0.fault.act == .keys && $0.strikes(domain) }
      .map { (Bytes($0.fault.key), Bytes($0.fault.value)) }
  }

  // MARK: Pages

  /// Takes note of pages that a backend has mapped; what it is to use in their place.
  ///
  /// The layout is that of a disk's ring.
  public func mapped(
    _ pages: [MappedPage], of domain: DomainID, _ target: FaultTarget, isRing: Bool,
    layout: BlkifLayout = .native
  ) -> [MappedPage] {
    guard let state = state(target, domain) else { return pages }
    guard isRing else {
      if state.act == .keepsData { for page in pages { keepable[page.handle] = state } }
      return pages
    }
    let line = FaultLine(target, domain, state, pages)
    var shown = pages
    if target == .block {
      let first = pages[0].address
      let byteCount = pages.count * pageSize
      switch layout {
      case .native: line.disk = RingProxy(unsafePages: first, byteCount: byteCount, state)
      case .narrow: line.narrowDisk = RingProxy(unsafePages: first, byteCount: byteCount, state)
      }
      guard let shadow = line.disk?.shadow ?? line.narrowDisk?.shadow else { return pages }
      for index in shown.indices { shown[index].address = shadow + index * pageSize }
    } else {
      let first = state.plan.fault.name.utf8Start[0]
      let isIncoming =
        state.plan.fault.name.utf8Start[2] == UInt8(ascii: "-")
        && first == UInt8(ascii: "r")
      line.transmit = RingProxy(
        unsafePages: pages[0].address, byteCount: pageSize, isIncoming ? nil : state)
      line.receive = RingProxy(
        unsafePages: pages[1].address, byteCount: pageSize,
        isIncoming || state.act == .noEvents || state.act == .eventStorm ? state : nil)
      guard let transmit = line.transmit, let receive = line.receive else { return pages }
      shown[0].address = transmit.shadow
      shown[1].address = receive.shadow
    }
    lines.append(line)
    return shown
  }

  /// Takes note that a backend is done with pages; those whose mapping ends now, at their own places.
  public func unmapped(_ pages: [MappedPage]) -> [MappedPage] {
    var ending: [MappedPage] = []
    for page in pages {
      var own = page
      var keeper = keepable.removeValue(forKey: page.handle)
      if let line = lines.first(where: { $0.shows(page) }) {
        own = line.pages.first { $0.handle == page.handle } ?? page
        keeper = line.state.act == .keepsRings ? line.state : nil
      }
      if let keeper, keeper.clock.tick() {
        kept.append((own, now &+ Self.keeping))
      } else {
        ending.append(own)
      }
    }
    lines.removeAll { line in pages.contains { line.shows($0) } }
    return ending
  }

  // MARK: Ports

  /// Takes note of a port of a backend: it belongs to the rings that were mapped last.
  public func bound(_ port: EventPort, of domain: DomainID, _ target: FaultTarget) {
    for line in lines.reversed() where line.domain == domain && line.target == target {
      if line.ports.count < (target == .block ? 1 : 2) { line.ports.append(port) }
      return
    }
  }

  /// Takes note that a backend is done with a port; whether it is still open.
  public func unbound(_ port: EventPort) -> Bool {
    for line in lines { line.ports.removeAll { $0 == port } }
    guard let index = closed.firstIndex(of: port) else { return true }
    closed.remove(at: index)
    return false
  }

  /// Whether events by a port are sent by rounds alone.
  public func owns(_ port: EventPort) -> Bool {
    closed.contains(port) || lines.contains { $0.ports.contains(port) }
  }

  // MARK: Pages of the store and the console

  /// The page that the store, or the console's end, is to use in place of a guest's; it stays as long
  /// as the guest's is mapped.
  public func page(
    unsafePage page: UnsafeMutableRawPointer, of domain: DomainID, _ target: FaultTarget,
    port: EventPort
  ) -> UnsafeMutableRawPointer {
    guard let state = state(target, domain) else { return page }
    let proxy = StreamProxy(unsafePage: page, target, port, state)
    streams.append(proxy)
    return proxy.shadow
  }

  /// Forgets a guest's page.
  public func forget(_ port: EventPort) { streams.removeAll { $0.port == port } }

  // MARK: Rounds

  /// Passes on what there is.
  public func pump(now: UInt64) -> FaultRound {
    self.now = now
    var round = FaultRound()
    for line in lines {
      if let port = line.ports.first {
        if let done = line.disk?.pump(now: now) { note(done, line, port, &round) }
        if let done = line.narrowDisk?.pump(now: now) { note(done, line, port, &round) }
        if let done = line.transmit?.pump(now: now) { note(done, line, port, &round) }
        if let done = line.receive?.pump(now: now) {
          note(done, line, line.ports.last ?? port, &round)
        }
      }
    }
    for stream in streams {
      let done = stream.pump(now: now)
      if done.hasRequests { round.served.append(stream.port) }
      for _ in 0..<done.events { round.events.append(stream.port) }
    }
    for one in kept where one.due <= now { round.unmapped.append(one.page) }
    kept.removeAll { $0.due <= now }
    for (_, domain, state) in states where state.clock.struck > 0 && !state.isTold {
      state.isTold = true
      round.news.append((state.plan.fault, domain))
    }
    return round
  }

  private func note(
    _ done: RingRound, _ line: FaultLine, _ port: EventPort, _ round: inout FaultRound
  ) {
    if done.hasRequests { round.served.append(port) }
    for _ in 0..<done.events { round.events.append(port) }
    guard done.deviceStrikes > 0 else { return }
    if line.state.act == .portClosed {
      round.closed.append(contentsOf: Set(line.ports))
      closed.append(contentsOf: Set(line.ports))
      line.ports = []
    } else {
      round.devices.append(
        DeviceStrike(act: line.state.act, target: line.target, domain: line.domain))
    }
  }
}
