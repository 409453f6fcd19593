// The start of most tests: a domain that runs on its own page tables.

import HypervisorCore
import HypervisorCoreTesting

/// A bench with domain 1, whose frames 0 to 3 are its tables of level 4 to 1.
///
/// The last level maps all its frames from address 0 on, those below 8 read-only.
struct Booted {
  let bench: Bench
  let caller: Caller
  let frames: [MachineFrame]

  init(privileged: Bool = false) {
    bench = Bench()
    (caller, frames) = bench.makeDomain(1, frames: 16, privileged: privileged)
    for index in 0..<3 { bench.prepare(frames[index], 0, frames[index + 1], 7) }
    for (index, frame) in frames.enumerated() {
      bench.prepare(frames[3], index, frame, index < 8 ? 5 : 7)
    }
    _ = bench.extended(3, frames[0].number, from: caller)
    _ = bench.extended(5, frames[0].number, from: caller)
  }

  /// The machine address of an entry of one of the domain's frames.
  func address(_ frame: Int, _ index: Int) -> UInt64 {
    frames[frame].number << 12 | UInt64(index) << 3
  }

  /// An entry that maps one of the domain's frames.
  func entry(_ frame: Int, _ flags: UInt64) -> UInt64 { frames[frame].number << 12 | flags }

  func record(_ frame: Int) -> FrameRecord { bench.hypervisor.frames[frames[frame]].pointee }

  func update(_ pointer: UInt64, _ value: UInt64, foreign: UInt64 = 0x7ff0) -> Int64? {
    bench.mmuUpdate(pointer, value, foreign: foreign, from: caller)
  }

  func extended(_ command: UInt64, _ frame: Int, _ second: UInt64 = 0) -> Int64? {
    bench.extended(command, frames[frame].number, second, from: caller)
  }

  func map(_ address: UInt64, _ entry: UInt64, flags: UInt64 = 0) -> Int64? {
    bench.finish(HypercallArguments(address, entry, flags)) {
      bench.hypervisor.updateVAMapping(&$0, from: caller)
    }
  }
}

/// The answers that tests compare with.
enum Answer {
  static let permission: Int64 = -1
  static let noDomain: Int64 = -3
  static let noMemory: Int64 = -12
  static let access: Int64 = -13
  static let fault: Int64 = -14
  static let busy: Int64 = -16
  static let invalid: Int64 = -22
  static let noSuchCall: Int64 = -38
}
