// How long a vcpu was in which state, where a guest reads it: abi/vcpu.yaml, vcpu_runstate_info.

import CXenABI
import HypervisorCore

/// Guests' views of run states.
enum Runstate {
  /// The times of a vcpu at the last change, or at `now` where one is given.
  static func info(of slot: SchedulerSlot, now: UInt64? = nil) -> vcpu_runstate_info {
    var info = vcpu_runstate_info()
    guard let scheduler = Switch.scheduler else { return info }
    let account = scheduler[slot].account
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
  static func write(of vcpu: inout GuestProcessor, to address: GuestVirtualAddress) {
    var info = info(of: vcpu.slot)
    let isFlagged = vcpu.assists >> UInt64(VMASST_TYPE_runstate_update_flag) & 1 != 0
    if vcpu.is32Bit { return writeCompat(info, isFlagged: isFlagged, to: address) }
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

  /// The same for a 32-bit guest, whose 64-bit fields follow the state at once.
  private static func writeCompat(
    _ info: vcpu_runstate_info, isFlagged: Bool, to address: GuestVirtualAddress
  ) {
    let entry = GuestVirtualAddress(address.value + 4)
    if isFlagged, !GuestMemory.store(info.state_entry_time | UInt64(1) << 63, to: entry) { return }
    guard storeCompat(info, to: address, flag: isFlagged ? UInt64(1) << 63 : 0) else { return }
    if isFlagged { _ = GuestMemory.store(info.state_entry_time, to: entry) }
  }

  /// Writes the times in a 32-bit guest's form; false where that cannot be done.
  static func storeCompat(
    _ info: vcpu_runstate_info, to address: GuestVirtualAddress, flag: UInt64 = 0
  ) -> Bool {
    let times = (info.state_entry_time | flag, info.time.0, info.time.1, info.time.2, info.time.3)
    return GuestMemory.store(info.state, to: address)
      && GuestMemory.store(times, to: GuestVirtualAddress(address.value + 4))
  }
}
