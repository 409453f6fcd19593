// The serial port at 0x3f8 (16550), the hypervisor's console and that of domain 0.

import CMachine

/// The first serial port; SerialInput.swift receives.
enum Serial {
  // SAFETY: under the console lock.
  /// Domain 0 has begun a line and not ended it.
  nonisolated(unsafe) static var isInLine = false

  static let port: UInt16 = 0x3f8
  static let lineStatus: UInt16 = 0x3fd
  private static let transmitterEmpty: UInt8 = 0x20

  /// Sets 115200 baud, 8 bits, no parity, FIFOs on, no interrupts, and their way out open (OUT2).
  static func start() {
    xg_out8(port + 1, 0)
    xg_out8(port + 3, 0x80)
    xg_out8(port, 1)
    xg_out8(port + 1, 0)
    xg_out8(port + 3, 3)
    xg_out8(port + 2, 0xc7)
    xg_out8(port + 4, 0xb)
  }

  /// Sends one byte, and waits for room at most for a bounded number of polls.
  ///
  /// A machine without the port reads 0xff, which looks ready.
  static func send(_ byte: UInt8) {
    var polls = 0
    while xg_in8(lineStatus) & transmitterEmpty == 0 && polls < 100_000 {
      xg_pause()
      polls += 1
    }
    xg_out8(port, byte)
  }

  /// Ends the line that domain 0 has begun, before a line of somebody else's.
  ///
  /// The control character before the newline (SYN) says that the line goes on afterwards; the harness
  /// puts its parts together, and a terminal shows nothing.
  static func breakLine() {
    guard isInLine else { return }
    isInLine = false
    send(0x16)
    send(0x0d)
    send(0x0a)
  }

  /// Sends a number.
  static func send(decimal value: UInt64) {
    var divisor: UInt64 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      send(0x30 + UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
    }
  }
}
