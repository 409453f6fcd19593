// A device as xenbus sees it: where it stands in the store, in which phase it is, and what each kind of
// device does in a phase. BlockDevice and NetDevice are subclasses, and a kernel's own drivers may be.

import CXenABI

/// How far a device and its backend have come; Bus.swift has the picture.
public enum Phase: UInt8 {
  case waiting
  case published
  case running
  case closing
  case closed
}

/// A device of any kind.
///
/// All calls of what subclasses override come in driver context.
open class Device<OS: PortingLayer> {
  /// Where it was found.
  public let bus: Bus<OS>
  /// Its directory: device/vbd/51712.
  public let path: Text
  /// The backend's: /local/domain/0/backend/vbd/3/51712.
  public internal(set) var backend: Text = ""
  public internal(set) var backendID: UInt16 = 0
  public internal(set) var id: UInt32 = 0
  public internal(set) var phase = Phase.waiting
  /// What the backend did wrong; `nil`: nothing.
  public internal(set) var fault: StaticString?
  /// So far.
  public internal(set) var faults: UInt32 = 0
  public internal(set) var connections: UInt32 = 0

  /// Connections that failed in a row.
  var failures: UInt32 = 0
  var watch: Watch?
  /// Which of the bus's drivers it belongs to.
  var driverIndex = 0

  /// A device that has been found at a path.
  public init(bus: Bus<OS>, path: Text) {
    self.bus = bus
    self.path = path
  }

  /// The state that goes out with the keys: XenbusStateInitialised, or Connected for networks.
  open var publishedState: Int32 { XenbusStateInitialised }
  /// Backend is ready: reads what it offers, makes rings and ports.
  open func setUp() throws(Failure) {}
  /// Writes the keys, within a transaction; may be called several times.
  open func publish(_ transaction: UInt32) throws(Failure) {}
  /// Backend is connected: reads properties; requests may go from now on.
  open func connected() throws(Failure) {}
  /// Backend's state key was written again while running: properties may have changed.
  open func changed() {}
  /// Rings are not to be touched any more; what was under way is kept.
  open func stop() {}
  /// Ends ports and grants, whatever of them exists.
  open func tearDown() {}
  /// Never comes back: ends what waits with errors.
  ///
  /// After `tearDown`.
  open func removed() {}
  /// At each `Bus.poll`: time-outs, and what an event left undone.
  open func poll() {}

  /// For drivers: the backend broke the protocol; the device is closed and connected anew.
  ///
  /// Any context.
  public func reportFault(_ what: StaticString) {
    if fault != nil { return }
    fault = what
    faults &+= 1
    OS.log(what)
    OS.wake()
  }

  /// A key of the backend as a number.
  public func offer(_ key: Text, otherwise: UInt64 = 0) -> UInt64 {
    bus.store.number(backend / key, otherwise: otherwise)
  }

  /// Whether a feature is wanted here and offered there.
  public func agrees(_ wanted: Bool, _ key: Text) -> Bool { wanted && offer(key) == 1 }

  /// How many queues both sides can have.
  func agreedQueues(_ wanted: UInt32) -> UInt32 {
    let offered = offer("multi-queue-max-queues", otherwise: 1)
    if offered == 0 || wanted == 0 { return 1 }
    return offered < UInt64(wanted) ? UInt32(offered) : wanted
  }

  /// Writes a number below the device's directory, or below another.
  func publish(
    _ key: Text, _ value: UInt64, _ transaction: UInt32, in folder: Text? = nil
  ) throws(Failure) {
    try bus.store.write((folder ?? path) / key, Text(number: value), in: transaction)
  }

  /// Takes away a key that an earlier connection may have left.
  func unpublish(_ key: Text, _ transaction: UInt32) throws(Failure) {
    do throws(Failure) {
      try bus.store.remove(path / key, in: transaction)
    } catch {
      if error != Failure(XEN_ENOENT) { throw error }
    }
  }

  /// Where the keys of each queue belong: a single queue's stand in the device's directory.
  func queueFolders(_ count: Int, _ transaction: UInt32) throws(Failure) -> [Text] {
    if count == 1 {
      try unpublish("multi-queue-num-queues", transaction)
      return [path]
    }
    try publish("multi-queue-num-queues", UInt64(count), transaction)
    return (0..<count).map { path / "queue-" + Text(number: UInt64($0)) }
  }
}
