// The time of day at system time zero, from the battery-backed clock (Motorola MC146818):
// abi/time.yaml, wall clock.

import CMachine
import CXenABI
import HypervisorCore
import XenABI

/// The time of day.
enum WallClock {
  // SAFETY: written once, by the boot CPU, before guests run.
  /// Nanoseconds since 1970 at system time zero.
  nonisolated(unsafe) private static var start: UInt64 = 0

  /// Reads the clock; it is right to a second.
  static func read() {
    // A reading during an update is worthless; a second one that agrees is not from one.
    var last: UInt64 = 0
    for _ in 0..<10 {
      let seconds = readOnce()
      if seconds == last { break }
      last = seconds
    }
    let now = Host.clock.now
    let nanoseconds = last &* 1_000_000_000
    start = nanoseconds > now ? nanoseconds - now : nanoseconds
  }

  /// Tells a domain whose time of day is so many seconds ahead of the machine's; false, and nothing
  /// is told, where that is no time of day.
  ///
  /// The core lock is held, and the domain may be reading: the version is odd meanwhile, and a guest
  /// that scribbled over it gets an even one again.
  @discardableResult
  static func describe(_ frame: MachineFrame, of domain: DomainPointer, ahead: Int64 = 0) -> Bool {
    let (seconds, isOverflow) = Int64(start / 1_000_000_000).addingReportingOverflow(ahead)
    guard !isOverflow, seconds >= 0, seconds < 1 << 34 else { return false }
    typealias Wide = Xen.OffsetX86_64.shared_info
    typealias Narrow = Xen.OffsetX86_32.shared_info
    let is32Bit = domain.pointee.is32Bit
    let page = DirectMap.pointer(to: frame.address)
    func field(_ wide: Int, _ narrow: Int) -> UnsafeMutablePointer<UInt32> {
      // SAFETY: offsets of the structure, aligned, in a page.
      (page + (is32Bit ? narrow : wide)).assumingMemoryBound(to: UInt32.self)
    }
    let version = field(Wide.wc_version, Narrow.wc_version)
    let odd = version.pointee | 1
    xg_store_ordered(version, odd)
    field(Wide.wc_sec, Narrow.wc_sec).pointee = UInt32(truncatingIfNeeded: seconds)
    field(Wide.wc_sec_hi, Narrow.arch + Xen.OffsetX86_32.arch_shared_info.wc_sec_hi).pointee =
      UInt32(truncatingIfNeeded: seconds >> 32)
    field(Wide.wc_nsec, Narrow.wc_nsec).pointee = UInt32(
      truncatingIfNeeded: start % 1_000_000_000)
    xg_store_ordered(version, odd &+ 1)
    return true
  }

  private static func register(_ number: UInt8) -> UInt64 {
    xg_out8(0x70, number | 0x80)
    return UInt64(xg_in8(0x71))
  }

  private static func readOnce() -> UInt64 {
    var polls = 0
    while register(10) & 0x80 != 0 && polls < 100_000 { polls += 1 }
    let mode = register(11)
    func value(_ raw: UInt64) -> UInt64 {
      mode & 4 != 0 ? raw : (raw & 15) + (raw >> 4) * 10
    }
    let second = value(register(0))
    let minute = value(register(2))
    let rawHour = register(4)
    var hour = value(rawHour & 0x7f)
    if mode & 2 == 0 { hour = hour % 12 + (rawHour & 0x80 != 0 ? 12 : 0) }
    let day = value(register(7))
    let month = value(register(8))
    let year = 2000 + value(register(9))
    return ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
  }

  /// Days from 1970-01-01 in the Gregorian calendar, the year counted from March.
  private static func days(_ year: UInt64, _ month: UInt64, _ day: UInt64) -> UInt64 {
    let month = min(max(month, 1), 12)
    let shiftedYear = month > 2 ? year : year - 1
    let shiftedMonth = month > 2 ? month - 3 : month + 9
    let leapDays = shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
    return shiftedYear * 365 + leapDays + (shiftedMonth * 153 + 2) / 5 + max(day, 1) - 1 - 719_468
  }
}
