// Domain 0: from the start of day to the loop that serves everything. The images are ControlImage and,
// for tests, ControlImageFaulty.

internal import CXenABI
import GuestRuntime

/// Runs domain 0 to its end; called on the guest's own stack.
public func runControlDomain(startInfo: UInt64, _ makeInterposer: () -> Interposer) {
  guard Guest.start(startInfo) else {
    say("the hypervisor refuses what a domain needs at its start").end()
    Guest.shutDown(reason: UInt32(SHUTDOWN_crash))
  }
  guard Guest.isPrivileged, Ports.enable() else {
    say("this is not domain 0, and nobody else may use devices").end()
    Guest.shutDown(reason: UInt32(SHUTDOWN_crash))
  }
  let devices = Devices()
  devices.find()
  let interposer = makeInterposer()
  let services = interposer.takesOver(devices) ? nil : Services(devices, interposer)
  let guests = services.map { Guests($0) }
  guests?.start()
  if guests != nil { say("serves").end() }
  Events.run()
  _ = guests
  Guest.powerOff()
}
