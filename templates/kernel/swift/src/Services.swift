// What a driver in an archive of its own finds here, under the names of Kernel/kernel.h: those of
// `xenograft generate block` and its like. Without one none of it is linked.

import CXenABI
import Machine

/// Addresses for pages in a row, and for frames of others: given out once.
private nonisolated(unsafe) var windowEnd: UInt64 = 0x1300_0000_0000

private func map(_ count: Int, _ frame: (Int) -> UInt64?) -> UnsafeMutableRawPointer? {
  let start = windowEnd
  for index in 0..<count {
    guard let frame = frame(index) else { return nil }
    let flags = Pages.writable | Pages.noExecute
    if Pages.map(windowEnd, frame: frame, flags) != 0 { return nil }
    windowEnd += Pages.size
  }
  return UnsafeMutableRawPointer(bitPattern: UInt(start))
}

@c(kernel_pages)
public func servePages(_ count: Int) -> UnsafeMutableRawPointer? {
  if count == 1 { return UnsafeMutableRawPointer(bitPattern: UInt(Pages.take())) }
  return map(count) { _ in
    let page = Pages.take()
    return page == 0 ? nil : Pages.frame(address: page)
  }
}

@c(kernel_free_pages)
public func takeBackPages(_ pages: UnsafeMutableRawPointer, _ count: Int) {
  for index in 0..<count {
    let address = UInt64(UInt(bitPattern: pages)) + UInt64(index) * Pages.size
    guard address < Pages.base else {
      Pages.give(address)
      continue
    }
    guard let frame = Pages.frame(mapped: address) else { continue }
    _ = Pages.unmap(address)
    Pages.give(Pages.page(frame: frame))
  }
}

@c(kernel_frame)
public func serveFrame(_ page: UnsafeMutableRawPointer) -> UInt64 {
  Pages.frame(mapped: UInt64(UInt(bitPattern: page))) ?? 0
}

@c(kernel_map)
public func serveMapping(
  _ frames: UnsafePointer<xen_pfn_t>, _ count: Int
) -> UnsafeMutableRawPointer? {
  map(count) { UInt64(frames[$0]) }
}

@c(kernel_open_port)
public func openPort(_ port: UInt32, _ handler: @escaping @convention(c) (UInt32) -> Void) -> Int32
{
  Int32(truncatingIfNeeded: Events.handle(port, handler))
}

@c(kernel_close_port)
public func closePort(_ port: UInt32) { Events.forget(port) }

@c(kernel_wait)
public func wait(_ deadline: UInt64) {
  Clock.set(deadline)
  Events.wait()
}

@c(kernel_deliver)
public func deliver() {
  Events.enable()
  Events.disable()
}

@c(kernel_time)
public func serveTime() -> UInt64 { Clock.now }

@c(kernel_start_info)
public func serveStart() -> UnsafePointer<start_info> { Domain.start }

@c(kernel_print)
public func print(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
  Console.write(UnsafeBufferPointer(start: bytes, count: count))
}
