// What domain 0 does for others: store, consoles, disks, networks; and their turn in the loop.

internal import CXenABI
public import ControlCore
import GuestRuntime
import XenABI

/// A guest's page of ours with the port that goes with it.
private struct Line<Service> {
  var domain: DomainID
  var service: Service
  var port: UInt32
  var address: UInt64
}

/// The services.
public final class Services {
  let store = Store()
  let bridge = Bridge()
  /// Enters guests and devices.
  public let toolstack: Toolstack
  /// The store as the control domain's parts see it.
  public let local: LocalStore
  let interposer: Interposer
  private let disks: BackendRegistry<LocalStore, DiskFactory>
  private let networks: BackendRegistry<LocalStore, NetworkFactory>
  private var cards: [NetworkCard] = []
  private var channels: [Line<StoreChannel>] = []
  private var consoles: [Line<ConsoleGuest>] = []
  /// Something has happened since the last turn.
  private var isAwake = true
  /// The domain to whose console goes what is typed, if anybody types.
  private let typist: DomainID?
  /// Something may have been typed that was not read.
  private var hasInput = false
  /// A line that has begun is handed over soon.
  private var isFlushDue = false
  /// How long it waits for its end: the eye sees no delay, and a line in one piece is one still.
  private static let lineDelay: UInt64 = 10_000_000

  init(_ devices: Devices, _ interposer: Interposer) {
    self.interposer = interposer
    typist = Guest.hasOption("interactive") ? DomainID(1) : nil
    let diskPorts = GuestPorts(interposer, isNetwork: false)
    let networkPorts = GuestPorts(interposer, isNetwork: true)
    local = LocalStore(store)
    // Its own client: what it writes the backends hear of.
    toolstack = Toolstack(LocalStore(store))
    disks = BackendRegistry(
      local, type: "vbd",
      factory: DiskFactory(
        disks: devices.disks.map { SharedDisk($0) }, ports: diskPorts, interposer: interposer))
    networks = BackendRegistry(
      local, type: "vif",
      factory: NetworkFactory(bridge: bridge, ports: networkPorts, interposer: interposer))
    for network in devices.networks { cards.append(NetworkCard(network, bridge)) }
    diskPorts.onEvent = { [self] port in serve(port) }
    networkPorts.onEvent = { [self] port in serve(port) }
    disks.start()
    networks.start()
    Events.poll { [self] in turn() }
    guard typist != nil, let port = Events.bind(interrupt: UInt32(VIRQ_CONSOLE)) else { return }
    // What came before that raises no event.
    hasInput = true
    Events.handle(port) { [self] in
      hasInput = true
      isAwake = true
    }
  }

  /// Serves a domain that has been built: its pages by their frames, and its ports.
  func add(_ guest: GuestFacts) -> Bool {
    let domain = guest.domain
    guard let storePage = map(guest.storeFrame, of: domain),
      let consolePage = map(guest.consoleFrame, of: domain),
      let storeEnd = bind(guest.storePort, of: domain),
      let consoleEnd = bind(guest.consolePort, of: domain)
    else { return false }
    store.introduce(domain)
    let interface = page(storePage, of: domain, storeEnd, isStore: true)
      .assumingMemoryBound(to: Xen.XenstoreDomainInterface.self)
    channels.append(
      Line(
        domain: domain, service: StoreChannel(store: store, domain: domain, unsafePage: interface),
        port: storeEnd, address: storePage))
    let console = page(consolePage, of: domain, consoleEnd, isStore: false)
      .assumingMemoryBound(to: Xen.XenconsInterface.self)
    let prefix = Bytes("(d") + Bytes(decimal: UInt64(domain.rawValue)) + Bytes(") ")
    consoles.append(
      Line(
        domain: domain,
        service: ConsoleGuest(
          unsafePage: console, prefix: prefix, isInteractive: domain == typist),
        port: consoleEnd, address: consolePage))
    return true
  }

  private func page(
    _ address: UInt64, of domain: DomainID, _ port: UInt32, isStore: Bool
  ) -> UnsafeMutableRawPointer {
    // SAFETY: both pages stay mapped until `remove`.
    interposer.page(
      unsafePage: UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped, of: domain,
      port: EventPort(port), isStore: isStore)
  }

  /// Forgets a domain that is gone.
  func remove(_ domain: DomainID) {
    for line in channels where line.domain == domain {
      line.service.close()
      end(line.port, line.address)
    }
    for line in consoles where line.domain == domain {
      // The page outlives the guest, and its last words are still there: a ring full at most.
      for _ in 0..<4 where line.service.isServed { _ = line.service.run(Services.print) }
      line.service.finish(Services.print)
      end(line.port, line.address)
    }
    channels.removeAll { $0.domain == domain }
    consoles.removeAll { $0.domain == domain }
    do throws(StoreError) { try store.release(domain) } catch {}
    toolstack.remove(domain)
    isAwake = true
  }

  private func map(_ frame: UInt64, of domain: DomainID) -> UInt64? {
    Window.map(machine: frame << 12, count: 1, owner: domain.rawValue)
  }

  private func bind(_ port: UInt32, of domain: DomainID) -> UInt32? {
    guard let own = Events.bind(remote: port, of: domain.rawValue) else { return nil }
    Events.handle(own) { [self] in isAwake = true }
    return own
  }

  private func end(_ port: UInt32, _ address: UInt64) {
    interposer.forget(EventPort(port))
    Events.close(port)
    Window.unmap(address, count: 1)
  }

  private static func print(_ line: Bytes) {
    for byte in line { Console.put(byte) }
    Console.put(0x0a)
  }

  /// Lets the backends of a kind begin anew, as if they had died with all that they knew.
  public func restart(isNetwork: Bool) {
    if isNetwork { networks.restart() } else { disks.restart() }
    isAwake = true
  }

  /// Ends mappings that were kept.
  public func unmap(_ pages: [MappedPage]) { GuestPages.end(pages) }

  /// Has the next turn look at everything.
  func wake() { isAwake = true }

  /// An event of a guest's disk or network.
  public func serve(_ port: EventPort) {
    isAwake = true
    for device in disks.devices.values {
      if let progress = device.driver.handle(port) { return again(port, progress) }
    }
    for device in networks.devices.values {
      if let progress = device.driver.handle(port, now: Clock.now) { return again(port, progress) }
    }
  }

  private func again(_ port: EventPort, _ progress: Progress) {
    if progress.more { Events.after(0) { [self] in serve(port) } }
  }

  /// Takes what was typed as far as the guest's console has room: the rest waits where it is.
  private func type(_ console: ConsoleGuest) {
    let room = min(console.inputRoom, 256)
    guard room > 0 else { return }
    let bytes = Console.read(room)
    if bytes.count < room { hasInput = false } else { isAwake = true }
    console.type(bytes)
  }

  private func flush() {
    isFlushDue = false
    for line in consoles { line.service.flush(Services.print) }
  }

  /// One turn: a bounded part of everything that waits; whether there is more.
  private func turn() -> Bool {
    for device in networks.devices.values { device.driver.flush() }
    // A device that closes waits for what is in flight, of which nothing else tells.
    if disks.poll() { isAwake = true }
    if networks.poll() { isAwake = true }
    if interposer.turn(self) { isAwake = true }
    guard isAwake else { return false }
    isAwake = false
    for line in channels {
      let progress = line.service.run()
      if progress.notify { Events.notify(line.port) }
      if progress.more { isAwake = true }
    }
    for line in consoles {
      if hasInput, line.domain == typist { type(line.service) }
      let progress = line.service.run(Services.print)
      if progress.notify { Events.notify(line.port) }
      if progress.more { isAwake = true }
      if line.service.isLineOpen, !isFlushDue {
        isFlushDue = true
        Events.after(Self.lineDelay) { [self] in flush() }
      }
    }
    while let event = local.nextEvent() {
      isAwake = true
      if !disks.handle(event) { _ = networks.handle(event) }
    }
    return isAwake
  }
}
