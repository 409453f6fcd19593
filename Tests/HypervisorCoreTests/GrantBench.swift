// Two domains that grant frames to each other, for the tests of grant_table_op.

import CXenABI
import HypervisorCore
import HypervisorCoreTesting

/// A granter (domain 1) and a mapper (domain 2), both with page tables as `Booted` has them.
final class GrantBench {
  /// The bench.
  let bench = Bench(frameCount: 96)
  /// Domain 1.
  let granter: Caller
  /// Its frames; 0 to 3 are its tables.
  let own: [MachineFrame]
  /// Domain 2.
  let mapper: Caller
  /// Its frames; 0 to 3 are its tables, which map them from address 0 on.
  let frames: [MachineFrame]
  /// Where arguments are put.
  static let window = FakeMachine.windowBase.value

  /// Both booted, the granter's table one frame long.
  init(privilegedMapper: Bool = false) {
    (granter, own) = bench.makeDomain(1, frames: 16)
    (mapper, frames) = bench.makeDomain(2, frames: 16, privileged: privilegedMapper)
    for (caller, list) in [(granter, own), (mapper, frames)] {
      for index in 0..<3 { bench.prepare(list[index], 0, list[index + 1], 7) }
      for (index, frame) in list.enumerated() {
        bench.prepare(list[3], index, frame, index < 8 ? 5 : 7)
      }
      _ = bench.extended(3, list[0].number, from: caller)
      _ = bench.extended(5, list[0].number, from: caller)
    }
    _ = call(GNTTABOP_setup_table, [0x7ff0 | 1 << 32, 0, Self.window + 2048], from: granter)
  }

  /// grant_table_op with an argument's words; `limit` 1 for a call that is not restarted.
  func call(
    _ operation: Int32, _ words: [UInt64], count: UInt64 = 1, limit: Int = 1_000,
    from caller: Caller
  ) -> Int64? {
    bench.machine.poke(words, at: 0)
    return bench.finish(
      HypercallArguments(UInt64(operation), Self.window, count), limit: limit
    ) { bench.hypervisor.grantTableOperation(&$0, from: caller) }
  }

  /// A 16-bit result in the argument.
  func status(at offset: Int) -> Int32 {
    Int32(Int16(truncatingIfNeeded: bench.machine.peek(offset & ~7) >> (UInt64(offset & 7) * 8)))
  }

  /// The words of the granter's table.
  var table: UnsafeMutablePointer<UInt64> {
    guard let state = granter.domain.pointee.grants else { preconditionFailure("No table") }
    return bench.machine.words(of: MachineFrame(UInt64(state.pointee.frames[0])))
  }

  /// Writes an entry of version 1.
  func grant(
    _ reference: Int, _ frame: MachineFrame, to user: UInt64 = 2,
    flags: Int32 = GTF_permit_access
  ) {
    table[reference] = frame.number << 32 | user << 16 | UInt64(flags)
  }

  /// The flags of an entry of version 1.
  func flags(of reference: Int) -> Int32 { Int32(table[reference] & 0xffff) }

  /// Maps a grant for the mapper; the status.
  func map(
    _ reference: UInt64, at address: UInt64 = 20 << 12, flags: Int32 = GNTMAP_host_map,
    of domain: UInt64 = 1, from caller: Caller? = nil
  ) -> Int32 {
    let words = [
      address, UInt64(UInt32(bitPattern: flags)) | reference << 32, domain | 77 << 16, 0,
    ]
    guard call(GNTTABOP_map_grant_ref, words, from: caller ?? mapper) == 0 else { return 1 }
    return status(at: 18)
  }

  /// The handle that the last map answered.
  var handle: UInt64 { bench.machine.peek(16) >> 32 }

  /// Unmaps for the mapper; the status.
  func unmap(
    _ handle: UInt64, at address: UInt64 = 20 << 12, device: UInt64 = 0, from caller: Caller? = nil
  ) -> Int32 {
    let words = [address, device, handle | 77 << 32]
    guard call(GNTTABOP_unmap_grant_ref, words, from: caller ?? mapper) == 0 else { return 1 }
    return status(at: 20)
  }

  /// The mapper's page-table entry of an address below 2 MiB.
  func entry(at address: UInt64 = 20 << 12) -> UInt64 {
    bench.machine.words(of: frames[3])[Int(address >> 12)]
  }

  /// The record of a frame.
  func record(_ frame: MachineFrame) -> FrameRecord {
    bench.hypervisor.frames[frame].pointee
  }

  /// Takes a domain apart; whether it is gone.
  func kill(_ caller: Caller) -> Bool {
    bench.hypervisor.beginDeath(of: caller.domain)
    do { try bench.hypervisor.continueDeath(of: caller.domain) } catch { return false }
    return bench.hypervisor.finishDeath(of: caller.domain)
  }
}
