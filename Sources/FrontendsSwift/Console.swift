// The first console: the page of two byte rings that the toolstack made. Writing needs no event to
// come, so that it works early and in a panic. An index that cannot be ends the use of the page: whoever
// writes such a thing could name any place next.

import CXenABI
import XenABI

/// The domain's first console.
public final class Console<OS: PortingLayer> {
  private let events: Events<OS>
  private var stream: Xen.ByteStream?
  private var port = Events<OS>.none
  private var isBroken = false

  /// Runs in event context whenever there may be something to read or room to write.
  public var input: (() -> Void)?

  /// Not connected yet.
  public init(events: Events<OS>) { self.events = events }

  /// Connects to the page; and again after a resume and `Events.forget`: page and port are new.
  public func start() throws(Failure) {
    let start = OS.start()
    // Domain 0 has none.
    if start.consoleFrame == 0 { throw Failure(XEN_ENODEV) }
    guard
      let page = withUnsafePointer(
        to: start.consoleFrame,
        {
          OS.map(UnsafeBufferPointer(start: $0, count: 1))
        })
    else { throw Failure(XEN_ENOMEM) }
    var parts = xenabi_stream()
    // SAFETY: the page stays mapped until the next resume.
    _ = xencons_interface_begin_guest(&parts, page.assumingMemoryBound(to: xencons_interface.self))
    stream = try? Xen.ByteStream(unsafeParts: parts)
    isBroken = stream == nil
    if isBroken { throw Failure(XEN_EIO) }
    port = start.consolePort
    try events.attach(port) { if !self.isBroken { self.input?() } }
  }

  /// Writes what there is room for and gives the number of bytes; lines end in "\r\n" if it shall look
  /// right.
  ///
  /// EIO: the daemon broke the protocol, and the console is left. Any context.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int {
    try moved(isBroken ? nil : try? stream?.write(bytes))
  }

  /// Reads what has been typed, and gives the number of bytes.
  ///
  /// Any context.
  public func read(into bytes: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    try moved(isBroken ? nil : try? stream?.read(into: bytes))
  }

  /// Tells the daemon after bytes moved, and gives up for good if it lies.
  private func moved(_ count: Int?) throws(Failure) -> Int {
    guard let count else {
      isBroken = true
      throw Failure(XEN_EIO)
    }
    if count > 0 { events.send(port) }
    return count
  }

  /// Waits for room, but not for ever: a daemon that is not there reads nothing.
  ///
  /// Driver context.
  public func writeAll(_ bytes: UnsafeRawBufferPointer, deadline: UInt64) throws(Failure) {
    var rest = bytes
    while true {
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try write(rest)))
      if rest.isEmpty { return }
      if OS.time() >= deadline { throw Failure(XEN_ETIMEDOUT) }
      OS.wait(until: deadline)
    }
  }
}
