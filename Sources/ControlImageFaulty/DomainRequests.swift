// What Rootstock's control interface (rootstock.h) does to domains, as far as only faults ask for it.

import CRootstock
import GuestRuntime

extension Domains {
  /// Limits the frames that a domain may have.
  static func limit(_ number: UInt16, to frames: UInt64) {
    _ = change(ROOTSTOCK_LIMIT_DOMAIN, number, Int64(frames))
  }

  /// Sets a domain's time of day ahead of the machine's.
  static func shiftClock(_ number: UInt16, by seconds: Int64) {
    _ = change(ROOTSTOCK_SHIFT_CLOCK, number, seconds)
  }
}
