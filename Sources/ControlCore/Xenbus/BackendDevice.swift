// One device's backend side: reads both directories when something has changed, takes the steps of
// XenbusState.swift, and writes its own state.

public import XenABI

/// What a kind of device does at each step.
public protocol BackendDriver {
  /// Whether a frontend in state 3 has written all its keys, or may add some until state 4.
  static var isCompleteWhenInitialised: Bool { get }
  /// Writes the features; the frontend reads them in state 2.
  func announce<Store: StoreAccessing>(_ keys: BackendKeys<Store>)
  /// Reads the frontend's keys, maps its rings, binds its ports, and writes the properties.
  ///
  /// Nothing stays mapped or bound where it throws.
  func connect<Store: StoreAccessing>(
    _ frontend: FrontendKeys<Store>, _ keys: BackendKeys<Store>
  ) throws(XenbusFault)
  /// Takes no more requests.
  func stop()
  /// Takes no more requests and answers none, as if it had died.
  func abandon()
  /// Unmaps and unbinds everything; false as long as something is in flight.
  func finish() -> Bool
}

/// The backend side of one device.
public final class BackendDevice<Store: StoreAccessing, Driver: BackendDriver> {
  /// The kind of device and its rings.
  public let driver: Driver
  private let store: Store
  /// `/local/domain/0/backend/<type>/<domid>/<id>`.
  public let directory: StorePath
  /// `/local/domain/<domid>/device/<type>/<id>`, as the toolstack wrote it.
  public let frontend: StorePath
  /// The state that was written last.
  public private(set) var state = XenbusState.xenbusStateInitialising
  /// The state to write once nothing is in flight any more.
  private var pending: XenbusState?
  /// The backend itself wants the frontend to close, whatever the toolstack says.
  private var wantsClosing = false
  /// The device is gone; its owner forgets it.
  public private(set) var isRemoved = false
  private let domain: DomainID

  /// A device whose directories the toolstack has made; `nil` where they name no frontend.
  public init?(_ store: Store, directory: StorePath, driver: Driver) {
    guard let text = store.read(directory.child("frontend")),
      let number = store.read(directory.child("frontend-id")), let domain = DomainID(number),
      let path = try? StorePath(text, from: .control), !path.isSpecial
    else { return nil }
    self.store = store
    self.directory = directory
    self.driver = driver
    self.domain = domain
    frontend = path
  }

  /// Begins.
  ///
  /// Where the directory says that a backend was here before and died, its frontend is asked to
  /// close: it still holds a ring that nobody serves, and sends what was in it again once it has
  /// come back.
  public func start() {
    let before = XenbusStep.state(store.read(directory.child("state")))
    let other = XenbusStep.state(store.read(frontend.child("state")))
    let isIdle =
      other == .xenbusStateInitialising || other == .xenbusStateUnknown
      || other == .xenbusStateClosed
    if before.rawValue > XenbusState.xenbusStateInitialising.rawValue, !isIdle {
      wantsClosing = true
    }
    update()
  }

  /// Looks at both directories and does what is to be done; called when either has changed.
  public func update() {
    // Each step leads to another state; a few in a row are all that there can be.
    for _ in 0..<4 {
      guard !isRemoved, pending == nil else { return }
      let step = nextStep()
      guard step != .wait else { return }
      take(step)
    }
  }

  private func nextStep() -> XenbusStep {
    let other = XenbusStep.state(store.read(frontend.child("state")))
    // The toolstack unplugs by writing 5 over our state, and 0 to `online`.
    let written = store.read(directory.child("state"))
    if written == nil { return .remove }
    if other == .xenbusStateClosed || other == .xenbusStateInitialising { wantsClosing = false }
    let isOnline = store.read(directory.child("online"))?.equals("0") != true
    let isAsked =
      XenbusStep.state(written) == .xenbusStateClosing && state != .xenbusStateClosing
    return XenbusStep(
      backend: state, frontend: other, isOnline: isOnline,
      isAskedToClose: wantsClosing || isAsked,
      isCompleteInitialised: Driver.isCompleteWhenInitialised)
  }

  private func take(_ step: XenbusStep) {
    switch step {
    case .wait: return
    case .announce:
      driver.announce(BackendKeys(store, directory))
      write(.xenbusStateInitWait)
    case .connect:
      do throws(XenbusFault) {
        try driver.connect(FrontendKeys(store, frontend), BackendKeys(store, directory))
        write(.xenbusStateConnected)
      } catch {
        note(error)
        wantsClosing = true
        write(.xenbusStateClosing)
      }
    case .closing: drain(to: .xenbusStateClosing)
    case .closed: drain(to: .xenbusStateClosed)
    case .remove: drain(to: .xenbusStateUnknown)
    }
  }

  private func drain(to next: XenbusState) {
    driver.stop()
    pending = next
    poll()
  }

  /// Goes on with what waited for requests in flight; whether there was any such thing to do.
  @discardableResult
  public func poll() -> Bool {
    guard let next = pending, driver.finish() else { return false }
    pending = nil
    if next == .xenbusStateUnknown {
      isRemoved = true
      store.remove(directory)
    } else {
      write(next)
      update()
    }
    return true
  }

  private func write(_ next: XenbusState) {
    state = next
    store.write(directory.child("state"), Bytes(decimal: UInt64(next.rawValue)))
  }

  /// Notes a fault where toolstacks look for it: `error/backend/…/error` in our home.
  private func note(_ fault: XenbusFault) {
    let home = StorePath.home(of: .control).bytes.count + 1
    let path = StorePath.home(of: .control).child("error")
      .child(Bytes(directory.bytes.dropFirst(home))).child("error")
    store.write(path, Bytes(fault.text))
  }
}
