// The local interrupt controller and its timer: Intel SDM volume 3, chapter 11 (xAPIC mode).

import CMachine

/// The local APIC of the CPU that calls.
enum LocalAPIC {
  static let timerVector: UInt8 = 0xf0
  /// A vcpu that runs there has got an event.
  static let eventVector: UInt8 = 0xf1
  /// The scheduler is to decide again.
  static let scheduleVector: UInt8 = 0xf2
  /// Shootdown.swift has a request.
  static let flushVector: UInt8 = 0xf3
  static let spuriousVector: UInt8 = 0xff

  private enum Register {
    static let id: UInt64 = 0x20
    static let endOfInterrupt: UInt64 = 0xb0
    static let spurious: UInt64 = 0xf0
    static let commandLow: UInt64 = 0x300
    static let commandHigh: UInt64 = 0x310
    static let timer: UInt64 = 0x320
    static let lint0: UInt64 = 0x350
    static let lint1: UInt64 = 0x360
    static let initialCount: UInt64 = 0x380
    static let currentCount: UInt64 = 0x390
    static let divide: UInt64 = 0x3e0
  }

  private static func read(_ register: UInt64) -> UInt32 {
    // SAFETY: the page is device memory inside the direct map, mapped without caches.
    let address = UInt64(XG_DIRECT_BASE) + Host.acpi.localAPIC + register
    return xg_load32(address)
  }

  private static func write(_ register: UInt64, _ value: UInt32) {
    let address = UInt64(XG_DIRECT_BASE) + Host.acpi.localAPIC + register
    xg_store32(address, value)
  }

  static var identifier: UInt32 { read(Register.id) >> 24 }

  /// Masks the old interrupt controllers and enables this one, with the timer stopped.
  static func start() {
    xg_out8(0x21, 0xff)
    xg_out8(0xa1, 0xff)
    startProcessor()
  }

  /// Enables the controller of the CPU that calls.
  static func startProcessor() {
    xg_wrmsr(0x1b, xg_rdmsr(0x1b) | 1 << 11)
    write(Register.spurious, 0x100 | UInt32(spuriousVector))
    write(Register.lint0, 1 << 16)
    write(Register.lint1, 0x400)
    write(Register.divide, 0xb)
    write(Register.timer, 1 << 16 | UInt32(timerVector))
  }

  /// Sends an interrupt command to one CPU.
  static func send(_ command: UInt32, to apicID: UInt32) {
    while read(Register.commandLow) & 1 << 12 != 0 { xg_pause() }
    write(Register.commandHigh, apicID << 24)
    write(Register.commandLow, command)
  }

  static func endInterrupt() { write(Register.endOfInterrupt, 0) }

  /// Starts the timer: one interrupt after `count` ticks of the bus, or none for 0.
  static func startOneShot(_ count: UInt32) { write(Register.initialCount, count) }

  /// Lets the timer interrupt from here on.
  static func unmaskTimer() { write(Register.timer, UInt32(timerVector)) }

  /// Counts down from the highest value without interrupts, for calibration.
  static func startFreeRunning() {
    write(Register.timer, 1 << 16 | UInt32(timerVector))
    write(Register.initialCount, .max)
  }

  static var elapsedTicks: UInt32 { UInt32.max - read(Register.currentCount) }
}
