internal import CXenABI
import GuestRuntime

/// Called by Start.S on the guest's own stack.
@c(guest_main)
public func main(startInfo: UInt64) {
  guard Guest.start(startInfo) else {
    say("the hypervisor refuses what a domain needs at its start").end()
    Guest.shutDown(reason: UInt32(SHUTDOWN_crash))
  }
  say("runs").end()
  var count = 0
  func tick() {
    count += 1
    say("tick ").decimal(count).end()
    if count < 3 { Events.after(10_000_000, tick) } else { Events.stop() }
  }
  Events.after(1_000_000, tick)
  Events.run()
  Guest.powerOff()
}
