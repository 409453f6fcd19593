// The porting layer for a small kernel with one processor and no threads, as `xenograft generate kernel
// --language swift` writes it. Its main masks events before it calls xg_run(), and they stay masked but
// in wait(): so no two functions of the frontends ever run at the same time.

import CXenABI
import Kernel

/// The kernel, as the frontends see it.
enum System: PortingLayer {
  private nonisolated(unsafe) static var isWoken = false
  /// Whose ports the kernel delivers.
  nonisolated(unsafe) static var events: Events<System>? = nil

  static func pages(_ count: Int) -> UnsafeMutableRawPointer? { kernel_pages(count) }

  static func freePages(_ pages: UnsafeMutableRawPointer, _ count: Int) {
    kernel_free_pages(pages, count)
  }

  static func frame(_ page: UnsafeMutableRawPointer) -> UInt64 { kernel_frame(page) }

  static func map(_ frames: UnsafeBufferPointer<xen_pfn_t>) -> UnsafeMutableRawPointer? {
    kernel_map(frames.baseAddress, frames.count)
  }

  static func openPort(_ port: UInt32) -> Int32 {
    kernel_open_port(port) { System.events?.deliver($0) }
  }

  static func closePort(_ port: UInt32) { kernel_close_port(port) }

  static func wait(until deadline: UInt64) {
    if !isWoken, time() < deadline { kernel_wait(deadline) }
    // What came while they were masked is delivered here.
    kernel_deliver()
    isWoken = false
  }

  static func wake() { isWoken = true }

  static func eventOperation(_ command: Int32, _ argument: UnsafeMutableRawPointer) -> Int {
    HYPERVISOR_event_channel_op(command, argument)
  }

  static func grantOperation(
    _ command: Int32, _ argument: UnsafeMutableRawPointer, _ count: UInt32
  ) -> Int {
    HYPERVISOR_grant_table_op(UInt32(command), argument, count)
  }

  static func start() -> StartPages {
    var start = StartPages()
    guard let info = kernel_start_info()?.pointee else { return start }
    start.storeFrame = info.store_mfn
    start.storePort = info.store_evtchn
    // Domain 0 has the hypervisor's console and no other.
    if info.flags & UInt32(SIF_INITDOMAIN) == 0 {
      start.consoleFrame = info.console.domU.mfn
      start.consolePort = info.console.domU.evtchn
    }
    return start
  }

  static func time() -> UInt64 { kernel_time() }

  static func log(_ line: StaticString) { say(line, "\n") }
}

/// Prints texts.
func say(_ texts: StaticString...) {
  for text in texts { kernel_print(text.utf8Start, text.utf8CodeUnitCount) }
}
