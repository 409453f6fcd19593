// The domain: what the loader told it, the page it shares with the hypervisor, and its end.

import CXenABI
import Machine

enum Domain {
  /// Written by the loader; set before anything else runs.
  nonisolated(unsafe) static var start: UnsafePointer<start_info>! = nil
  /// Shared with the hypervisor, which writes it at any time.
  nonisolated(unsafe) static var shared: UnsafeMutablePointer<shared_info>! = nil

  /// What the hypervisor keeps for this processor. This kernel has one.
  static var vcpu: UnsafeMutablePointer<vcpu_info> {
    // SAFETY: vcpu_info[0] is at the start of the shared page.
    UnsafeMutableRawPointer(shared).assumingMemoryBound(to: vcpu_info.self)
  }

  static func begin(_ info: UnsafePointer<start_info>) {
    start = info
    let address = shared_page_address()
    // shared_info is a machine address: the only page that the loader does not map for us.
    let entry = UInt64(info.pointee.shared_info) | Pages.writable
    let error = HYPERVISOR_update_va_mapping(UInt(address), entry, UInt(UVMF_INVLPG))
    if error != 0 { crash("the shared page cannot be mapped", error) }
    // SAFETY: the page is there from now on, and nothing else uses it.
    shared = UnsafeMutablePointer(bitPattern: UInt(address))
  }

  /// Ends the domain for one of the SHUTDOWN reasons.
  static func end(_ reason: Int32) -> Never {
    var shutdown = sched_shutdown(reason: UInt32(reason))
    while true { _ = HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown, 0) }
  }
}

/// Says why and ends the domain as a crash.
func crash(_ why: StaticString, _ number: Int = 0) -> Never {
  say("panic: ")
  say(why)
  say(number: number)
  say("\n")
  Domain.end(SHUTDOWN_crash)
}
