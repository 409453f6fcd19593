// What Rootstock's control interface (rootstock.h) does to domains, as far as only faults ask for it.

import CGuest
import CRootstock
import GuestRuntime

extension Domains {
  /// From now on it waits when it suspends, instead of ending.
  static func keepSuspended(_ number: UInt16) {
    var request = rootstock_domain()
    request.domain = number
    _ = guest_control(UInt64(ROOTSTOCK_KEEP_SUSPENDED), &request)
  }

  /// Lets a suspended domain go on, which waits to begin then; whether that was possible by now.
  static func resume(_ number: UInt16, asNew isNew: Bool) -> Bool {
    change(
      ROOTSTOCK_RESUME_DOMAIN, number,
      isNew ? Int64(ROOTSTOCK_AS_NEW) : Int64(ROOTSTOCK_AS_CANCELLED))
  }

  /// Limits the frames that a domain may have.
  static func limit(_ number: UInt16, to frames: UInt64) {
    _ = change(ROOTSTOCK_LIMIT_DOMAIN, number, Int64(frames))
  }

  /// Sets a domain's time of day ahead of the machine's.
  static func shiftClock(_ number: UInt16, by seconds: Int64) {
    _ = change(ROOTSTOCK_SHIFT_CLOCK, number, seconds)
  }

  private static func change(_ operation: Int32, _ number: UInt16, _ value: Int64) -> Bool {
    var request = rootstock_change()
    request.domain = number
    request.value = value
    return guest_control(UInt64(operation), &request) == 0
  }
}
