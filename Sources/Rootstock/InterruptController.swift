// The I/O APIC: 82093AA datasheet, 3. Its lines interrupt the boot CPU, each with a vector of its
// own. The index register is shared, so all access is under the core lock.

import CMachine
import HypervisorCore

/// The lines of devices.
enum InterruptController {
  /// Vectors of lines: all below those of LocalAPIC, which may interrupt while one of these waits to
  /// be dealt with.
  static let firstVector: UInt32 = 0x30

  // SAFETY: written once, by the boot CPU, before guests run.
  nonisolated(unsafe) private(set) static var lineCount = 0
  // SAFETY: only the boot CPU, where the lines lead, uses it, with interrupts off.
  /// Lines that have interrupted and are not dealt with.
  nonisolated(unsafe) private static var waiting: UInt64 = 0

  private static let versionRegister: UInt32 = 1
  private static func entryRegister(_ line: Int) -> UInt32 { 0x10 + UInt32(line) * 2 }
  private static let masked: UInt32 = 1 << 16

  private static func read(_ register: UInt32) -> UInt32 {
    let address = UInt64(XG_DIRECT_BASE) + Host.acpi.ioAPIC
    xg_store32(address, register)
    return xg_load32(address + 0x10)
  }

  private static func write(_ register: UInt32, _ value: UInt32) {
    let address = UInt64(XG_DIRECT_BASE) + Host.acpi.ioAPIC
    xg_store32(address, register)
    xg_store32(address + 0x10, value)
  }

  /// Masks every line.
  static func start() {
    guard Host.acpi.ioAPIC != 0, Host.acpi.ioAPIC < 0xffff_0000 else { return }
    lineCount = min(Int(read(versionRegister) >> 16 & 0xff) + 1, PhysicalInterrupt.limit)
    for line in 0..<lineCount { write(entryRegister(line), masked) }
  }

  /// Lets a line of a domain's device interrupt.
  static func open(_ line: Int, _ interrupt: PhysicalInterrupt) {
    guard line < lineCount else { return }
    program(line, isLevel: interrupt.isLevel, isActiveLow: interrupt.isActiveLow)
  }

  /// Lets a line of the hypervisor's own interrupt; false where there is no such line.
  static func open(own line: Int, isLevel: Bool, isActiveLow: Bool) -> Bool {
    guard line < lineCount else { return false }
    program(line, isLevel: isLevel, isActiveLow: isActiveLow)
    return true
  }

  private static func program(_ line: Int, isLevel: Bool, isActiveLow: Bool) {
    write(entryRegister(line) + 1, UInt32(truncatingIfNeeded: PerCPU.data(0).pointee.apic_id) << 24)
    write(
      entryRegister(line),
      firstVector + UInt32(line) | (isLevel ? 1 << 15 : 0) | (isActiveLow ? 1 << 13 : 0))
  }

  /// Masks a line, which keeps its trigger.
  ///
  /// A level line that were turned into one of edges would miss that its device is content, and
  /// interrupt again as soon as it is open.
  static func close(_ line: Int) {
    guard line < lineCount else { return }
    write(entryRegister(line), read(entryRegister(line)) | masked)
  }

  /// Notes an interrupt; false for a vector that is no line's.
  ///
  /// The local APIC hears of its end when the line has been dealt with.
  static func note(_ vector: UInt32) -> Bool {
    guard vector >= firstVector, vector < firstVector + UInt32(PhysicalInterrupt.limit) else {
      return false
    }
    waiting |= 1 << UInt64(vector - firstVector)
    Work.request(Work.device)
    return true
  }

  /// Tells the domains of every line that waits.
  static func deliver() {
    withCore {
      // A line that was noted has one interrupt in service at the local APIC, which ends the highest
      // first; so all are closed before any is ended.
      let lines = waiting
      waiting = 0
      for line in 0..<lineCount where lines >> UInt64(line) & 1 != 0 {
        if line == SerialInput.line {
          SerialInput.receive()
          Host.hypervisor.noteInput()
        } else {
          Host.hypervisor.raise(line: line)
        }
      }
      for _ in 0..<lines.nonzeroBitCount { LocalAPIC.endInterrupt() }
    }
  }
}
