// The porting layer: everything that the frontends want of the system around them. A system that
// writes these functions has the drivers; nothing else of the system is called.
//
//     your kernel  -->  Bus, BlockDevice, NetDevice ...   what a kernel calls
//                         frontends
//     your kernel  <--  PortingLayer                      what the frontends call
//
// Two contexts:
//   driver  A thread, or the main loop. It calls Bus.poll() and everything else that is not marked
//           otherwise. It may wait.
//   event   Events.deliver(), called for a pending port: in the upcall, or in a thread of its own.
//           It never waits.
// The frontends have no locks. The system sees to it that no two of their functions run at the same
// time, with one exception: while wait() sleeps, events are delivered. With one processor, keep
// events masked around calls into the frontends; with more, hold one lock, which wait() lets go of
// while it sleeps.
//
// Objects and arrays come from Swift's own heap, in both contexts. How much of it is in use follows
// from options and devices, never from what a backend writes.

public import CXenABI

/// What a system provides.
///
/// Each kind of frontend is generic over it, so that nothing is looked up when it runs.
public protocol PortingLayer {
  /// Pages in a row, zeroed and page-aligned, each one a machine frame of its own; `nil`: none left.
  ///
  /// Driver context.
  static func pages(_ count: Int) -> UnsafeMutableRawPointer?
  /// Gives back pages that `pages` gave, all of them or some.
  ///
  /// Driver context.
  static func freePages(_ pages: UnsafeMutableRawPointer, _ count: Int)
  /// Machine frame of a page: the number that goes into a grant.
  ///
  /// Any context.
  static func frame(_ page: UnsafeMutableRawPointer) -> UInt64
  /// Maps frames that the hypervisor or toolstack provides (grant table, xenstore, console), writable
  /// and in a row; `nil`: it cannot.
  ///
  /// They stay mapped until the next call after a resume. Driver context.
  static func map(_ frames: UnsafeBufferPointer<xen_pfn_t>) -> UnsafeMutableRawPointer?

  /// Routes a port, which is open already, to `Events.deliver` and unmasks it; 0, or an error.
  ///
  /// Driver context.
  static func openPort(_ port: UInt32) -> Int32
  /// Masks it and ends the routing; the port is closed after.
  ///
  /// Driver context.
  static func closePort(_ port: UInt32)
  /// Sleeps until an event has been delivered, `wake` was called, or the time has come.
  ///
  /// May come back early for no reason. Driver context, with nothing held but the frontends' lock.
  static func wait(until deadline: UInt64)
  /// Something is left to do: `Bus.poll` is wanted soon.
  ///
  /// Any context.
  static func wake()

  /// The hypercall event_channel_op, and what it returns.
  ///
  /// Driver context; EVTCHNOP_send in any.
  static func eventOperation(_ command: Int32, _ argument: UnsafeMutableRawPointer) -> Int
  /// The hypercall grant_table_op, and what it returns.
  ///
  /// Driver context, at start and resume only.
  static func grantOperation(
    _ command: Int32, _ argument: UnsafeMutableRawPointer, _ count: UInt32
  ) -> Int

  /// Where the toolstack left the pages of xenstore and console, read anew after a resume.
  ///
  /// Driver context.
  static func start() -> StartPages
  /// Nanoseconds since some moment; never goes back, a resume aside.
  ///
  /// Any context.
  static func time() -> UInt64
  /// One line for the system's log, without a newline.
  ///
  /// It must not come back into the frontends (a console over `Console.write` would). Any context.
  static func log(_ line: StaticString)
}

/// Pages and ports out of start_info; frame zero: there is none.
public struct StartPages {
  public var storeFrame: xen_pfn_t = 0
  public var consoleFrame: xen_pfn_t = 0
  public var storePort: UInt32 = 0
  public var consolePort: UInt32 = 0

  /// None.
  public init() {}
}

/// Why something was not done: one of the interface's error numbers.
public struct Failure: Error, Equatable {
  /// A positive XEN_E number.
  public let number: Int32

  /// A failure of that number, whatever its sign.
  public init(_ number: Int32) { self.number = number < 0 ? 0 &- number : number }
}

let pageSize = 4096
