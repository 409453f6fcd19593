// What a guest made the hypervisor do for it: each emulated instruction by address, and hypercalls
// by number. Printed at the domain's end, for the harness.

import CMachine
import CXenABI

/// The counts of the first domain.
enum TrapRecord {
  /// `policy=strict`: no privileged instruction is emulated.
  // SAFETY: these are used by the one CPU that runs guests.
  nonisolated(unsafe) static var isStrict = false
  nonisolated(unsafe) private static var entries = InlineArray<256, Entry>(repeating: Entry())
  nonisolated(unsafe) private static var lost: UInt64 = 0
  nonisolated(unsafe) private static var calls = InlineArray<64, CallCount>(repeating: CallCount())

  private struct Entry {
    var address: UInt64 = 0
    var count: UInt64 = 0
    var rule: StaticString = ""
  }

  private struct CallCount {
    var count: UInt64 = 0
    var errors: UInt64 = 0
  }

  /// Counts an emulated instruction; addresses that find no room are counted together.
  static func count(_ rule: StaticString, at address: UInt64) {
    var slot = Int(truncatingIfNeeded: (address ^ address >> 8) & 255)
    for _ in 0..<16 {
      if entries[slot].count == 0 {
        entries[slot].address = address
        entries[slot].rule = rule
      }
      if entries[slot].address == address {
        entries[slot].count &+= 1
        return
      }
      slot = (slot + 1) & 255
    }
    lost &+= 1
  }

  /// Counts a hypercall.
  static func count(call number: UInt64, failed: Bool) {
    let index = Int(min(number, 63))
    calls[index].count &+= 1
    if failed { calls[index].errors &+= 1 }
  }

  /// Prints everything that was counted.
  static func report() {
    for index in 0..<entries.count where entries[index].count > 0 {
      log(.info).text("trap: rip=").hex(entries[index].address).text(" rule=")
        .text(entries[index].rule).text(" count=").decimal(entries[index].count).end()
    }
    if lost > 0 { log(.info).text("trap: rip=0x0 rule=others count=").decimal(lost).end() }
    for index in 0..<calls.count where calls[index].count > 0 {
      log(.info).text("hypercall: number=").decimal(index).text(" count=")
        .decimal(calls[index].count).text(" errors=").decimal(calls[index].errors).end()
    }
  }
}
