// Memory that a backend shares: the pages of a ring, and pages for data. Closing gives it back now, or
// when the backend lets go.

import CXenABI
import XenABI

let ringOrderMax: UInt32 = 4

/// A ring of 2^order pages, granted.
final class SharedRing<
  OS: PortingLayer, Request: BitwiseCopyable, Response: BitwiseCopyable
> {
  private let events: Events<OS>
  private let pages: SharedPages<OS>
  var ring: Xen.FrontRing<Request, Response>

  var references: [UInt32] { pages.references }

  /// What an error leaves behind is taken away.
  ///
  /// Driver context.
  init(_ bus: Bus<OS>, _ backend: UInt16, order: UInt32) throws(Failure) {
    events = bus.events
    let count = 1 << Int(min(order, ringOrderMax))
    pages = try SharedPages(bus, backend, count: count, readOnly: false, inRow: true)
    // SAFETY: the pages stay until close(), after which nobody calls the ring.
    guard
      let ring = Xen.FrontRing<Request, Response>(
        unsafePage: pages.pages[0], byteCount: count * pageSize)
    else {
      pages.close()
      throw Failure(XEN_EINVAL)
    }
    self.ring = ring
  }

  func close() { pages.close() }

  /// Takes responses until none is left and the backend will tell of the next.
  ///
  /// After `budget` of them the rest waits for the next poll. False as soon as the ring, or `one` of a
  /// response, says that the backend breaks the protocol. Any context.
  func drain(budget: Int, _ one: (Response) -> Bool) -> Bool {
    for _ in 0..<budget {
      let response: Response?
      do { response = try ring.take() } catch { return false }
      if let response {
        if !one(response) { return false }
      } else if !ring.wait() {
        return true
      }
    }
    OS.wake()
    return true
  }

  /// Publishes what was put, and tells the backend if it wants to know.
  ///
  /// Any context.
  func push(_ port: UInt32) {
    if ring.unpublished > 0, ring.push() { events.send(port) }
  }
}

/// Pages and their grants.
final class SharedPages<OS: PortingLayer> {
  private let grants: Grants<OS>
  private(set) var pages: [UnsafeMutableRawPointer] = []
  private(set) var references: [UInt32] = []

  /// `inRow`: one behind the other.
  ///
  /// What an error leaves behind is taken away. Driver context.
  init(
    _ bus: Bus<OS>, _ backend: UInt16, count: Int, readOnly: Bool, inRow: Bool = false
  ) throws(Failure) {
    grants = bus.grants
    if inRow {
      guard let first = OS.pages(count) else { throw Failure(XEN_ENOMEM) }
      pages = (0..<count).map { first + $0 * pageSize }
    }
    for index in 0..<count {
      if !inRow, let page = OS.pages(1) { pages.append(page) }
      guard index < pages.count,
        let reference = grants.grant(pages[index], to: backend, readOnly: readOnly)
      else {
        let error = Failure(index < pages.count ? XEN_ENOSPC : XEN_ENOMEM)
        close()
        throw error
      }
      references.append(reference)
    }
  }

  /// Each page is freed now, or when the backend has let go of it.
  func close() {
    for (index, page) in pages.enumerated() {
      grants.endAndFree(index < references.count ? references[index] : Grants<OS>.none, page)
    }
    pages = []
    references = []
  }
}
