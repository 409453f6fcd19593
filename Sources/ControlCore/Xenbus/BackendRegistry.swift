// All devices of one type: found under `backend/<type>`, added when the toolstack makes them, dropped
// when they are gone.

/// Makes the driver for a device that the toolstack has added.
public protocol BackendFactory {
  associatedtype Driver: BackendDriver
  /// A driver for the device of a directory; `nil` where there is nothing that it could serve.
  func makeDriver<Store: StoreAccessing>(
    _ keys: BackendKeys<Store>, domain: DomainID, id: UInt64
  ) -> Driver?
}

/// The devices of one type.
public final class BackendRegistry<Store: StoreAccessing, Factory: BackendFactory> {
  private let store: Store
  private let factory: Factory
  private let directory: StorePath
  /// Drivers of before a restart that the disk still works for.
  private var abandoned: [Factory.Driver] = []
  private var isRestarting = false
  /// Devices by their directories.
  public private(set) var devices: [StorePath: BackendDevice<Store, Factory.Driver>] = [:]

  /// Serves a type: `vbd`, `vif`.
  public init(_ store: Store, type: StaticString, factory: Factory) {
    self.store = store
    self.factory = factory
    directory = StorePath.home(of: .control).child("backend").child(type)
  }

  /// Watches the type's directory; the watch fires at once and finds what is there already.
  public func start() { store.watch(directory, token: directory.bytes) }

  /// Takes a watch event; false if it is for another.
  ///
  /// A watch on the backend directories has the type's directory as its token, one on a frontend its
  /// device's directory.
  public func handle(_ event: StoreEvent) -> Bool {
    let token = StorePath(unchecked: event.token)
    guard directory.contains(token) else { return false }
    if isRestarting { return true }
    if token == directory { scan() }
    if let device = devices[token] { refresh(device) }
    return true
  }

  /// Finds devices that came, and lets every one look at what changed.
  private func scan() {
    for domain in store.list(directory) {
      let path = directory.child(domain)
      guard let owner = DomainID(domain) else { continue }
      for id in store.list(path) {
        guard let number = id.decimal else { continue }
        add(path.child(id), domain: owner, id: number)
      }
    }
    for device in Array(devices.values) { refresh(device) }
  }

  private func add(_ path: StorePath, domain: DomainID, id: UInt64) {
    // The toolstack writes the state in the same transaction as, or after, all else.
    guard devices[path] == nil, store.read(path.child("state")) != nil else { return }
    guard let driver = factory.makeDriver(BackendKeys(store, path), domain: domain, id: id),
      let device = BackendDevice(store, directory: path, driver: driver)
    else { return }
    devices[path] = device
    device.start()
    store.watch(device.frontend, token: path.bytes)
  }

  private func refresh(_ device: BackendDevice<Store, Factory.Driver>) {
    device.update()
    forgetIfGone(device)
  }

  /// Begins anew as after the death of the process that this was: nothing more is answered, and once
  /// no disk reads or writes the guests' pages any more, all is let go and found again in the store.
  public func restart() {
    for device in devices.values {
      device.driver.abandon()
      abandoned.append(device.driver)
      store.unwatch(device.frontend, token: device.directory.bytes)
    }
    devices = [:]
    store.unwatch(directory, token: directory.bytes)
    isRestarting = true
  }

  /// Goes on with devices that wait for requests in flight; whether the store has changed by that.
  @discardableResult
  public func poll() -> Bool {
    if isRestarting {
      abandoned.removeAll { $0.finish() }
      guard abandoned.isEmpty else { return false }
      isRestarting = false
      start()
      return true
    }
    var isAny = false
    for device in Array(devices.values) {
      if device.poll() { isAny = true }
      forgetIfGone(device)
    }
    return isAny
  }

  private func forgetIfGone(_ device: BackendDevice<Store, Factory.Driver>) {
    guard device.isRemoved else { return }
    devices[device.directory] = nil
    store.unwatch(device.frontend, token: device.directory.bytes)
  }
}
