// The machine's devices that have a driver, and when they are looked at.

internal import CXenABI
import GuestRuntime

/// The devices of the machine.
public final class Devices {
  package private(set) var disks: [VirtioBlock] = []
  package private(set) var networks: [VirtioNetwork] = []
  private var transports: [VirtioTransport] = []
  private static let vendor: UInt16 = 0x1af4
  private static let networkType: UInt16 = 1
  private static let blockType: UInt16 = 2

  /// Finds and starts every device.
  func find() {
    PCIFunction.visitAll { function in
      guard function.vendor == Devices.vendor, let type = Devices.type(function),
        type == Devices.networkType || type == Devices.blockType
      else { return }
      guard let transport = VirtioTransport.find(function) else {
        say("device at ").hex(function.place).text(" cannot be reached").end()
        return
      }
      if type == Devices.blockType, let disk = VirtioBlock(transport) {
        disks.append(disk)
        transports.append(transport)
      } else if type == Devices.networkType, let network = VirtioNetwork(transport) {
        networks.append(network)
        transports.append(transport)
      } else {
        transport.status = VirtioStatus.failed
        say("device at ").hex(function.place).text(" refuses its driver").end()
      }
    }
    for index in 0..<disks.count { report(disks[index], index) }
    for index in 0..<networks.count { report(networks[index], index) }
    Events.poll { [self] in collect() }
    Events.beforeSleep { [self] in wait() }
    connectInterrupts()
  }

  /// Binds the lines of all devices, which may share them.
  ///
  /// A device without a line is looked at every millisecond.
  private func connectInterrupts() {
    var lines: [UInt8] = []
    var isComplete = true
    for transport in transports {
      let line = transport.interruptLine
      if lines.contains(line) { continue }
      lines.append(line)
      let isConnected = Interrupts.handle(line: UInt32(line)) { [self] in
        // Each device on the line takes its request back, which only then is low again.
        for other in transports where other.interruptLine == line {
          _ = other.takeInterrupt()
        }
      }
      if !isConnected { isComplete = false }
    }
    if !isComplete {
      say("a device has no interrupt and is looked at every millisecond").end()
      keepLooking()
    }
  }

  /// The type of a virtio device.
  ///
  /// Modern ones have it in their number, those of both forms as
  /// subsystem. VIRTIO 1.1, 4.1.2.
  private static func type(_ function: PCIFunction) -> UInt16? {
    let number = function.device
    if number >= 0x1040, number < 0x1080 { return number - 0x1040 }
    return number >= 0x1000 && number < 0x1040 ? function.subsystem : nil
  }

  private func report(_ disk: VirtioBlock, _ index: Int) {
    say("disk ").decimal(index).text(disk.isLegacy ? ": legacy, " : ": modern, ")
      .decimal(disk.sectorCount).text(" sectors").text(disk.isReadOnly ? ", read-only" : "")
      .text(disk.canFlush ? ", flush" : "").text(disk.canDiscard ? ", discard" : "").end()
  }

  private func report(_ network: VirtioNetwork, _ index: Int) {
    let line = say("network ").decimal(index).text(network.isLegacy ? ": legacy, " : ": modern, ")
    for place in 0..<6 {
      if place > 0 { line.text(":") }
      line.hex(network.address[place], digits: 2)
    }
    line.end()
  }

  /// One look at everything, on each turn of the loop.
  private func collect() -> Bool {
    var isBusy = false
    for disk in disks {
      if disk.collect() { isBusy = true }
      disk.flush()
    }
    for network in networks {
      if network.collect() { isBusy = true }
      network.flush()
    }
    return isBusy
  }

  /// The last look before sleep: tells devices the rest, and asks them to interrupt; whether that is
  /// needless.
  private func wait() -> Bool {
    var isBusy = false
    for disk in disks {
      disk.flush()
      if disk.wait() { isBusy = true }
    }
    for network in networks {
      network.flush()
      if network.wait() { isBusy = true }
    }
    return isBusy
  }

  /// Wakes the loop every millisecond.
  private func keepLooking() {
    Events.after(1_000_000) { [self] in keepLooking() }
  }
}
