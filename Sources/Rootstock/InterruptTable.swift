// The IDT: every vector enters through its stub in Entry.S. One table serves all CPUs.

import CMachine
import HypervisorCore

/// The interrupt descriptor table: Intel SDM volume 3, 6.14.1.
enum InterruptTable {
  // SAFETY: written once, by the boot CPU, before it is loaded.
  nonisolated(unsafe) private static var address: UInt64 = 0

  /// Builds the table.
  ///
  /// Breakpoint, overflow and vector 0x80, the old system call, may be raised by guests directly. Every other `int n` of a guest is
  /// a general protection fault, out of which Traps.swift reads the vector.
  static func make() {
    let frame = Host.takeFrame()
    let words = DirectMap.words(of: frame)
    for vector in 0..<256 {
      let target = xg_address_vector_stubs() + UInt64(vector) * 16
      let stack: UInt64 =
        switch vector {
        case 2: 1  // NMI
        case 8: 2  // double fault
        case 18: 3  // machine check
        case 1: 4  // debug: a guest's pending #DB can fire at the first instruction of syscall
        default: 0
        }
      // Ring 1 is the kernel of a 32-bit guest, which makes its hypercalls so.
      let privilege: UInt64 =
        switch Int32(vector) {
        case 3, 4, 0x80: 3
        case XG_VECTOR_HYPERCALL: 1
        default: 0
        }
      words[vector * 2] =
        target & 0xffff | UInt64(XG_CS) << 16 | stack << 32 | (0x8e | privilege << 5) << 40
        | (target >> 16 & 0xffff) << 48
      words[vector * 2 + 1] = target >> 32
    }
    address = UInt64(XG_DIRECT_BASE) + frame.address.value
  }

  static func load() { xg_lidt(address, 4095) }
}
