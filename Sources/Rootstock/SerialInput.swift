// What is typed on the serial line. Its interrupt is noted like that of every other line, and the bytes
// are taken on the way out to a guest. When the queue is full the port is told to interrupt no more
// until domain 0 has read: whoever floods the line then costs nobody anything.

import CMachine
import HypervisorCore

/// The receiving side of the serial port.
enum SerialInput {
  // SAFETY: written once, by the boot CPU, before guests run.
  /// The line of the interrupt controller; -1 where nothing can be received.
  nonisolated(unsafe) private(set) static var line = -1
  // SAFETY: under the console lock.
  nonisolated(unsafe) private static var queue = InputQueue()
  // SAFETY: under the console lock.
  /// The port does not interrupt, since there was no room.
  nonisolated(unsafe) private static var isStopped = false

  private static let interruptEnable = Serial.port + 1
  private static let dataReady: UInt8 = 1
  /// Bytes that are taken for one interrupt: the port's own queue has 16.
  private static let most = 64

  /// Lets the port interrupt.
  static func start() {
    // A machine without the port reads ones.
    guard xg_in8(Serial.lineStatus) != 0xff else { return }
    let wanted = Int(Host.acpi.serialLine)
    guard
      InterruptController.open(
        own: wanted, isLevel: Host.acpi.isSerialLineLevel,
        isActiveLow: Host.acpi.isSerialLineActiveLow)
    else { return }
    line = wanted
    xg_out8(interruptEnable, 1)
  }

  /// Takes what the port has.
  ///
  /// The port is told to interrupt anew at the end, so that bytes that are left there raise their line
  /// again: it interrupts by its edge.
  static func receive() {
    Lock.console.take()
    xg_out8(interruptEnable, 0)
    var taken = 0
    while taken < most, !queue.isFull {
      let status = xg_in8(Serial.lineStatus)
      guard status & dataReady != 0, status != 0xff else { break }
      _ = queue.append(xg_in8(Serial.port))
      taken += 1
    }
    isStopped = queue.isFull
    if !isStopped { xg_out8(interruptEnable, 1) }
    Lock.console.release()
  }

  /// Gives the oldest bytes to `body`, at most as many as `buffer` takes; they are gone if it answers
  /// true.
  ///
  /// Answers how many they are, or `nil` where it answered false.
  static func take(
    into buffer: UnsafeMutableRawBufferPointer, _ body: (Int) -> Bool
  ) -> Int? {
    Lock.console.take()
    defer { Lock.console.release() }
    let length = queue.copy(to: buffer)
    guard length == 0 || body(length) else { return nil }
    queue.removeFirst(length)
    if isStopped, !queue.isFull {
      isStopped = false
      xg_out8(interruptEnable, 1)
    }
    return length
  }
}
