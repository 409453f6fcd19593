// Event channels: ports to backends, and who handles them. A table, probed from the port's own place
// on, so that any port number works; an upcall looks at one entry in nearly every case.

import CXenABI

/// Ports that the frontends can have at a time.
private let portsMax: UInt32 = 256

/// Who handles which port.
public final class Events<OS: PortingLayer> {
  /// Runs in event context.
  public typealias Handler = () -> Void

  private struct Channel {
    var port = Events.none
    var handler: Handler?
  }

  /// Never a port.
  public static var none: UInt32 { 0 }

  private var channels = [Channel](repeating: Channel(), count: Int(portsMax))

  /// Ports in use.
  public private(set) var count = 0

  /// No port.
  public init() {}

  /// Where a port stands, or the place for a new one.
  private func place(of port: UInt32, isVacant: Bool = false) -> Int? {
    for step in 0..<portsMax {
      let index = Int((port % portsMax + step) % portsMax)
      if channels[index].port == (isVacant ? Events.none : port) { return index }
    }
    return nil
  }

  /// Handles a port that the toolstack has made.
  public func attach(_ port: UInt32, _ handler: @escaping Handler) throws(Failure) {
    if port == Events.none || place(of: port) != nil { throw Failure(XEN_EINVAL) }
    guard let index = place(of: port, isVacant: true) else { throw Failure(XEN_ENOSPC) }
    channels[index] = Channel(port: port, handler: handler)
    count += 1
    let error = OS.openPort(port)
    if error == 0 { return }
    channels[index] = Channel()
    count -= 1
    throw Failure(error)
  }

  /// Makes a port that the backend's domain may bind.
  public func open(_ backend: UInt16, _ handler: @escaping Handler) throws(Failure) -> UInt32 {
    var unbound = evtchn_alloc_unbound()
    unbound.dom = UInt16(DOMID_SELF)
    unbound.remote_dom = backend
    let result = OS.eventOperation(Int32(EVTCHNOP_alloc_unbound), &unbound)
    if result != 0 { throw Failure(Int32(truncatingIfNeeded: result)) }
    do throws(Failure) {
      try attach(unbound.port, handler)
    } catch {
      end(unbound.port)
      throw error
    }
    return unbound.port
  }

  private func end(_ port: UInt32) {
    var argument = evtchn_close(port: port)
    _ = OS.eventOperation(Int32(EVTCHNOP_close), &argument)
  }

  /// Ends the handler, and the port as well unless `isKept`; `none` is left alone.
  public func close(_ port: UInt32, isKept: Bool = false) {
    guard port != Events.none, let index = place(of: port) else { return }
    OS.closePort(port)
    channels[index] = Channel()
    count -= 1
    if !isKept { end(port) }
  }

  /// Notifies the other end.
  ///
  /// Any context.
  public func send(_ port: UInt32) {
    var argument = evtchn_send(port: port)
    _ = OS.eventOperation(Int32(EVTCHNOP_send), &argument)
  }

  /// The system calls this for each pending port of the frontends.
  ///
  /// Event context.
  public func deliver(_ port: UInt32) {
    // An event may come late, after its device has closed the port.
    guard port != Events.none, let index = place(of: port) else { return }
    let handler = channels[index].handler
    handler?()
  }

  /// After a resume: no port of before exists, and their numbers may mean something else now.
  public func forget() {
    channels = Array(repeating: Channel(), count: Int(portsMax))
    count = 0
  }
}
