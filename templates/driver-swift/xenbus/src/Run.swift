// The life of xenbus: start what it stands on, then look after it.

import CXenABI

/// The driver's life: it goes on for ever, or comes back with a negative error if it cannot start.
@c(xg_run) public func run() -> Int32 {
  let events = Events<System>()
  System.events = events
  let store = Store(events: events)
  let grants = Grants<System>()
  let bus = Bus(store: store, grants: grants)
  do throws(Failure) {
    try grants.start(frames: 8)  // of 512 entries each
    try store.start()
    // Your drivers come here: subclasses of Device, and for each a Driver with the type of its devices.
    try bus.start([])
  } catch {
    return -error.number
  }
  while true {
    bus.poll()
    // A second at the longest between two looks, whatever is or is not heard.
    System.wait(until: System.time() + 1_000_000_000)
  }
}
