// How long a vcpu was in which state, where a guest reads it: abi/vcpu.yaml, vcpu_runstate_info.

import CXenABI
import HypervisorCore

/// Guests' views of run states.
enum Runstate {
  /// The times of a vcpu at the last change, or at `now` where one is given.
  static func info(of vcpu: GuestProcessor, now: UInt64? = nil) -> vcpu_runstate_info {
    var info = vcpu_runstate_info()
    guard let scheduler = Switch.scheduler else { return info }
    let account = scheduler[vcpu.slot].account
    let words = account.words
    info.state = Int32(truncatingIfNeeded: words[0])
    info.state_entry_time = words[1]
    guard let now else {
      info.time = (words[2], words[3], words[4], words[5])
      return info
    }
    info.time = (
      account.time(in: .running, at: now), account.time(in: .runnable, at: now),
      account.time(in: .blocked, at: now), account.time(in: .offline, at: now)
    )
    return info
  }

  /// Writes a vcpu's times, as of the last change, into its guest's memory.
  ///
  /// Under runstate_update_flag a reader can tell a copy that is being written: the top bit of
  /// state_entry_time is set first and cleared last.
  static func write(of vcpu: GuestProcessor, to address: GuestVirtualAddress) {
    var info = info(of: vcpu)
    let isFlagged = vcpu.assists >> UInt64(VMASST_TYPE_runstate_update_flag) & 1 != 0
    guard isFlagged, let entry = address.advanced(by: 8) else {
      _ = GuestMemory.store(info, to: address)
      return
    }
    let entryTime = info.state_entry_time
    info.state_entry_time = entryTime | UInt64(1) << 63
    guard GuestMemory.store(info.state_entry_time, to: entry),
      GuestMemory.store(info, to: address)
    else { return }
    _ = GuestMemory.store(entryTime, to: entry)
  }
}
