// Which backend serves a directory that the toolstack has made.

import ControlCore
import GuestRuntime
import XenABI

/// The backends of disks: `params` in the directory is the number of the machine's disk.
struct DiskFactory: BackendFactory {
  typealias Driver = BlockBackend<DiskChannel, GuestPages, GuestPorts>
  let disks: [SharedDisk]
  let ports: GuestPorts
  let interposer: Interposer

  func makeDriver<Store: StoreAccessing>(
    _ keys: BackendKeys<Store>, domain: DomainID, id: UInt64
  ) -> Driver? {
    guard let number = keys.text("params")?.decimal, number < UInt64(disks.count) else {
      return nil
    }
    let channel = DiskChannel(
      disks[Int(number)], isReadOnly: keys.text("mode")?.equals("r") ?? false)
    let driver = Driver(
      device: channel, grants: GuestPages(interposer, isNetwork: false), events: ports,
      domain: domain)
    // SAFETY: a backend stays until none of its commands is in flight, so it outlives every call; a
    // reference that counts would be a cycle.
    channel.onCompletion = { [unowned(unsafe) driver] token, isGood in
      _ = driver.complete(token: token, isGood: isGood)
    }
    // SAFETY: likewise; whoever was refused room has a command in flight, or waits to be called here.
    channel.onRoom = { [unowned(unsafe) driver] in driver.submitWaiting() }
    return driver
  }
}

/// The backends of network interfaces: all are on one bridge, `mac` is their address.
struct NetworkFactory: BackendFactory {
  typealias Driver = NetBackend<GuestPages, GuestPorts>
  let bridge: Bridge
  let ports: GuestPorts
  let interposer: Interposer

  func makeDriver<Store: StoreAccessing>(
    _ keys: BackendKeys<Store>, domain: DomainID, id: UInt64
  ) -> Driver? {
    Driver(
      bridge: bridge, grants: GuestPages(interposer, isNetwork: true), events: ports,
      domain: domain,
      address: keys.text("mac").flatMap { MACAddress($0) })
  }
}
