// What a guest made the hypervisor do for it: each emulated instruction by address, and hypercalls
// by number. Printed at the domain's end, for the harness.

import CMachine
import CXenABI
import HypervisorCore

/// The counts of one domain, in a frame of its own.
///
/// Its vcpus count without a lock: a count that is lost now and then is no harm.
struct TrapRecord {
  // SAFETY: written on the boot CPU, before guests run.
  /// `policy=strict`: no privileged instruction is emulated.
  nonisolated(unsafe) static var isStrict = false

  private var entries = InlineArray<80, Entry>(repeating: Entry())
  private var recents = InlineArray<8, Recent>(repeating: Recent())
  private var lost: UInt64 = 0
  private var calls = InlineArray<64, CallCount>(repeating: CallCount())
  private var slips = InlineArray<12, Slip>(repeating: Slip())

  private struct Entry {
    var address: UInt64 = 0
    var count: UInt64 = 0
    var rule: StaticString = ""
  }

  /// How often each order was looked at, right or wrong.
  var watched = InlineArray<4, UInt32>(repeating: 0)

  private struct Slip {
    var address: UInt64 = 0
    var count: UInt32 = 0
    var kind = OrderSlip.unmaskWithoutLook
  }

  private struct CallCount {
    var count: UInt32 = 0
    var errors: UInt32 = 0
  }

  /// Where an address was counted last: one that comes again and again is found at once, in a full
  /// record as well.
  private struct Recent {
    /// In the beginning one that no instruction has.
    var address: UInt64 = 1 << 63
    /// ``noSlot`` where it has found no room, nor will.
    var slot = TrapRecord.noSlot
  }

  private static var noSlot: Int { 80 }

  /// Counts an emulated instruction; addresses that find no room are counted together.
  mutating func count(_ rule: StaticString, at address: UInt64) {
    // Fibonacci hashing: the high half of a product with 80 is a slot.
    let hash = UInt32(truncatingIfNeeded: address) &* 0x9e37_79b9
    let place = Int(truncatingIfNeeded: hash >> 29)
    if recents[place].address == address {
      // Another vcpu may have written half of it.
      let slot = recents[place].slot
      if slot == Self.noSlot {
        lost &+= 1
        return
      }
      if entries[slot].address == address {
        entries[slot].count &+= 1
        return
      }
    }
    let slot = find(rule, address, from: Int(truncatingIfNeeded: (UInt64(hash) &* 80) >> 32))
    recents[place] = Recent(address: address, slot: slot)
    if slot == Self.noSlot { lost &+= 1 } else { entries[slot].count &+= 1 }
  }

  /// The slot of an address, which is taken for it where it has none.
  private mutating func find(_ rule: StaticString, _ address: UInt64, from first: Int) -> Int {
    var slot = first
    for _ in 0..<16 {
      if entries[slot].count == 0 {
        entries[slot].address = address
        entries[slot].rule = rule
      }
      if entries[slot].address == address { return slot }
      slot = slot == 79 ? 0 : slot + 1
    }
    return Self.noSlot
  }

  /// Counts a hypercall.
  @inline(__always) mutating func count(call number: UInt64, failed: Bool) {
    let index = Int(truncatingIfNeeded: min(number, 63))
    calls[index].count &+= 1
    if failed { calls[index].errors &+= 1 }
  }

  /// Counts something that was done in the wrong order; after the first places no others are kept.
  mutating func count(_ kind: OrderSlip, at address: UInt64) {
    for index in 0..<slips.count {
      if slips[index].count == 0 {
        slips[index].address = address
        slips[index].kind = kind
      }
      guard slips[index].address == address, slips[index].kind == kind else { continue }
      slips[index].count &+= 1
      return
    }
  }

  private static func name(_ kind: OrderSlip) -> StaticString {
    switch kind {
    case .unmaskWithoutLook: "unmask-without-look"
    case .timeWithoutVersion: "time-without-version"
    case .publishWithoutBarrier: "publish-without-barrier"
    case .wishWithoutLook: "wish-without-look"
    }
  }

  /// Prints everything that was counted.
  func report(domain: DomainID) {
    for index in 0..<entries.count where entries[index].count > 0 {
      log(.info).text("trap: domain=").decimal(domain.rawValue).text(" rip=").hex(
        entries[index].address
      ).text(" rule=")
        .text(entries[index].rule).text(" count=").decimal(entries[index].count).end()
    }
    if lost > 0 {
      log(.info).text("trap: domain=").decimal(domain.rawValue)
        .text(" rip=0x0 rule=others count=").decimal(lost).end()
    }
    for index in 0..<slips.count where slips[index].count > 0 {
      log(.info).text("order: domain=").decimal(domain.rawValue).text(" rip=")
        .hex(slips[index].address).text(" rule=").text(Self.name(slips[index].kind))
        .text(" count=").decimal(slips[index].count).end()
    }
    if OrderWatch.isOn {
      log(.info).text("order-watched: domain=").decimal(domain.rawValue).text(" unmasked=")
        .decimal(watched[0]).text(" time=").decimal(watched[1]).text(" published=")
        .decimal(watched[2]).text(" wished=").decimal(watched[3]).end()
    }
    for index in 0..<calls.count where calls[index].count > 0 {
      log(.info).text("hypercall: domain=").decimal(domain.rawValue).text(" number=").decimal(index)
        .text(" count=")
        .decimal(calls[index].count).text(" errors=").decimal(calls[index].errors).end()
    }
  }
}
