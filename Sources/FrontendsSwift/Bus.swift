// Xenbus: finds devices, takes each through its states with the backend, and again when the backend
// goes and comes back.
//
//             backend 2               backend 4
//   waiting ------------> published ------------> running
//      ^  setUp, publish              connected     |  backend 5, 6, gone, restarted; or a fault
//      |                                            v
//      '-- closed <--- backend 6, 2 or gone --- closing      stop, then tearDown
//            |  backend's `online` is 0, or the device's directory is gone
//            '--> removed
//
// All of a device's moves are in step(), which looks at the backend's state and does what is due in the
// device's own phase. It is called whenever the backend's state may have changed, and any order or
// merging of changes ends well: nothing depends on seeing each of them.
//
// After a fault or a restart the device waits until the backend says that it has let go (closed, or at
// its start again). Before that the old backend might still carry out requests that are going to be
// issued again, and a write of before could overwrite one of after.

import CXenABI

private let commitTries = 16
private let steps = 8
/// Connections that failed in a row; then the device is left alone.
private let failuresMax: UInt32 = 8

/// A kind of device.
public struct Driver<OS: PortingLayer> {
  /// "vbd".
  let type: Text
  /// A device that has been found at a path, or `nil` to leave it alone.
  let make: (Text) -> Device<OS>?

  /// A driver for devices of a type, each of which `make` makes.
  public init(type: Text, make: @escaping (Text) -> Device<OS>?) {
    self.type = type
    self.make = make
  }
}

/// The devices of the domain.
public final class Bus<OS: PortingLayer> {
  public let store: Store<OS>
  public let grants: Grants<OS>
  public let events: Events<OS>
  public private(set) var devices: [Device<OS>] = []

  private var drivers: [Driver<OS>] = []
  private var watch: Watch?
  private var mustScan = false

  /// A bus without devices.
  public init(store: Store<OS>, grants: Grants<OS>) {
    self.store = store
    self.grants = grants
    events = store.events
  }

  /// Watches for devices of these kinds.
  public func start(_ drivers: [Driver<OS>]) throws(Failure) {
    self.drivers = drivers
    devices = []
    watch = try store.watch("device") { self.mustScan = true }
  }

  /// Does what is due: watches, states, time-outs, grants that came back.
  ///
  /// To be called after each wait, and once a second at the least.
  public func poll() {
    store.runWatches()
    if mustScan {
      mustScan = false
      for index in drivers.indices { scan(index) }
      store.runWatches()
    }
    for device in devices {
      if device.fault != nil, device.phase == .running { step(device) }
      device.poll()
    }
    grants.retry()
  }

  /// After a resume: takes down what every device had, before any port is opened anew.
  public func abandon() {
    for device in devices {
      device.stop()
      device.tearDown()  // the table is empty: every grant ends at once
      device.phase = .waiting
      device.fault = nil
    }
  }

  /// When xenstore is there again after a resume: lets each device connect.
  public func resume() {
    mustScan = true
    for device in devices {
      if !findBackend(of: device) {
        OS.log("xenbus: a device has no backend after the resume")
      }
      write(XenbusStateInitialising, of: device)
    }
  }

  /// Takes all devices out, as before a kexec.
  public func stop() {
    if let watch { store.end(watch) }
    watch = nil
    while let device = devices.last {
      write(XenbusStateClosed, of: device)
      remove(device)
    }
  }

  // States.

  /// Writes the state, and the keys with it if `keys`: the backend must not read half of them.
  ///
  /// All in a transaction that looks for the old state first, since a write to a device that has just
  /// been removed would make its directory anew, and nobody would take that away again.
  private func change(
    _ state: Int32, of device: Device<OS>, keys: Bool = false
  ) throws(Failure) {
    for _ in 0..<commitTries {
      let transaction = try store.begin()
      do throws(Failure) {
        _ = try store.read(device.path / "state", in: transaction)
        if keys { try device.publish(transaction) }
        try device.publish("state", UInt64(state), transaction)
      } catch {
        store.abort(transaction)
        throw error
      }
      do throws(Failure) {
        try store.commit(transaction)
        return
      } catch {
        if error != Failure(XEN_EAGAIN) { throw error }
      }
    }
    throw Failure(XEN_EAGAIN)
  }

  private func write(_ state: Int32, of device: Device<OS>) {
    try? change(state, of: device)
  }

  private func note(_ what: StaticString, _ error: Failure, of device: Device<OS>) {
    let text = Text(number: UInt64(error.number)) + " " + Text(stringLiteral: what)
    try? store.write("error" / device.path / "error", text)
    OS.log(what)
  }

  /// Leaves the rings.
  ///
  /// They are given back when the backend has closed, too.
  private func beginClosing(_ device: Device<OS>) {
    device.stop()
    device.phase = .closing
    write(XenbusStateClosing, of: device)
  }

  private func connect(_ device: Device<OS>) {
    do throws(Failure) {
      try device.setUp()
      try change(device.publishedState, of: device, keys: true)
      device.phase = .published
    } catch {
      note("the device cannot be set up", error, of: device)
      device.tearDown()
      device.phase = .closed
      device.failures += 1
      write(XenbusStateClosed, of: device)
    }
  }

  private func finishConnecting(_ device: Device<OS>) {
    do throws(Failure) {
      try device.connected()
    } catch {
      note("the backend's properties make no sense", error, of: device)
      device.failures += 1
      beginClosing(device)
      return
    }
    device.phase = .running
    device.connections &+= 1
    device.failures = 0
    if device.publishedState != XenbusStateConnected { write(XenbusStateConnected, of: device) }
  }

  /// One move.
  ///
  /// Nothing more is to be done for now if the phase stays.
  private func move(_ device: Device<OS>, _ state: UInt64) {
    let state = Int32(exactly: state) ?? -1
    switch device.phase {
    case .waiting:
      if state == XenbusStateInitWait {
        connect(device)
      } else if state == XenbusStateConnected || state == XenbusStateInitialised
        || state == XenbusStateClosing
      {
        // Connected to whoever was here before: a boot loader, say.
        beginClosing(device)
      }
    case .published:
      if state == XenbusStateConnected {
        finishConnecting(device)
      } else if state != XenbusStateInitWait && state != XenbusStateInitialised {
        beginClosing(device)
      }
    case .running:
      if device.fault != nil || state != XenbusStateConnected { beginClosing(device) }
    case .closing:
      if state == XenbusStateConnected || state == XenbusStateInitialised { break }
      write(XenbusStateClosed, of: device)
      if state == XenbusStateClosing { break }
      device.tearDown()
      device.fault = nil
      device.phase = .closed
    case .closed:
      if device.failures >= failuresMax
        || (state != XenbusStateInitWait && state != XenbusStateClosed)
        || (state == XenbusStateClosed && device.offer("online", otherwise: 1) == 0)
      {
        break
      }
      device.phase = .waiting
      write(XenbusStateInitialising, of: device)
    }
  }

  private func step(_ device: Device<OS>) {
    for _ in 0..<steps {
      let before = device.phase
      move(device, device.offer("state"))
      if device.phase == before { return }
    }
    // It wanders from state to state: some steps for each poll.
    if let watch = device.watch { store.fire(watch) }
  }

  private func backendChanged(_ device: Device<OS>) {
    if device.phase != .running || device.fault != nil
      || device.offer("state") != UInt64(XenbusStateConnected)
    {
      step(device)
    } else {
      device.changed()
    }
  }

  // Finding and losing devices.

  /// Watches the backend that the toolstack names; false: there is none.
  private func findBackend(of device: Device<OS>) -> Bool {
    if let watch = device.watch { store.end(watch) }
    device.watch = nil
    let id = store.number(device.path / "backend-id", otherwise: .max)
    guard id < UInt64(DOMID_FIRST_RESERVED),
      let backend = try? store.read(device.path / "backend", most: Text.pathMax - 1),
      !backend.bytes.isEmpty, (backend / "state").bytes.count < Text.pathMax
    else { return false }
    device.backend = backend
    device.backendID = UInt16(truncatingIfNeeded: id)
    device.watch = try? store.watch(backend / "state") { self.backendChanged(device) }
    return device.watch != nil
  }

  private func remove(_ device: Device<OS>) {
    devices.removeAll { $0 === device }
    if let watch = device.watch { store.end(watch) }
    device.watch = nil
    device.stop()
    device.tearDown()
    device.removed()
  }

  private func add(_ driver: Int, _ path: Text, _ id: UInt32) {
    guard let device = drivers[driver].make(path) else { return }
    device.driverIndex = driver
    device.id = id
    if !findBackend(of: device) {
      device.removed()
      return
    }
    devices.insert(device, at: 0)
    let state = store.number(path / "state", otherwise: UInt64(XenbusStateInitialising))
    if state != UInt64(XenbusStateInitialising) { write(XenbusStateInitialising, of: device) }
  }

  private func scan(_ driver: Int) {
    let folder: Text = "device" / drivers[driver].type
    var names: [Text] = []
    do throws(Failure) {
      names = try store.list(folder)
    } catch {
      if error != Failure(XEN_ENOENT) { return }
    }
    for device in devices where device.driverIndex == driver {
      if !names.contains(where: { folder / $0 == device.path }) { remove(device) }
    }
    for name in names {
      let path = folder / name
      guard let number = name.number, let id = UInt32(exactly: number),
        path.bytes.count < Text.pathMax
      else { continue }
      if let device = devices.first(where: { $0.path == path }) {
        // The toolstack may have given a known device to another backend.
        if device.phase == .closed,
          let backend = try? store.read(path / "backend", most: Text.pathMax - 1),
          !backend.bytes.isEmpty, backend != device.backend, !findBackend(of: device)
        {
          OS.log("xenbus: the device's new backend cannot be watched")
        }
      } else {
        add(driver, path, id)
      }
    }
  }
}
