// The life of the console: it greets, and is there.

import CXenABI

private let greeting: StaticString = "the console's frontend runs\r\n"
private let second: UInt64 = 1_000_000_000

/// The driver's life: it goes on for ever, or comes back with a negative error if it cannot start.
@c(xg_run) public func run() -> Int32 {
  let events = Events<System>()
  System.events = events
  let console = Console(events: events)
  do throws(Failure) {
    try console.start()
    let bytes = UnsafeRawBufferPointer(
      start: greeting.utf8Start, count: greeting.utf8CodeUnitCount)
    try console.writeAll(bytes, deadline: System.time() + second)
  } catch {
    return -error.number
  }
  // From here on Console.write and Console.read may be called; nothing must be polled.
  while true { System.wait(until: System.time() + second) }
}
