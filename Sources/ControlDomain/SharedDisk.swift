// A disk of the machine as block backends use it. Several may share it; each has tokens of its own,
// so the driver sees others.

import ControlCore
import GuestRuntime

/// A disk, and whose commands are on their way.
final class SharedDisk {
  fileprivate let driver: VirtioBlock
  private var owners: [(channel: DiskChannel, token: UInt64)?] = []
  private var free: [Int] = []
  /// Who was refused room, and hears when there is some.
  private var refused: [DiskChannel] = []

  init(_ driver: VirtioBlock) {
    self.driver = driver
    driver.onCompletion = { [self] number, isGood in
      guard Int(number) < owners.count, let owner = owners[Int(number)] else { return }
      owners[Int(number)] = nil
      free.append(Int(number))
      owner.channel.onCompletion(owner.token, isGood)
      guard !refused.isEmpty else { return }
      let waiting = refused
      refused = []
      for channel in waiting { channel.onRoom() }
    }
  }

  fileprivate func submit(_ command: BlockCommand, from channel: DiskChannel) -> Bool {
    let number = free.popLast() ?? owners.count
    if number == owners.count { owners.append(nil) }
    guard
      driver.submit(
        command.action, sector: command.sector, sectorCount: command.sectorCount,
        pieces: command.pieces, token: UInt64(number))
    else {
      free.append(number)
      if !refused.contains(where: { $0 === channel }) { refused.append(channel) }
      return false
    }
    owners[number] = (channel, command.token)
    // What else it waits with is tried again when this one is done.
    refused.removeAll { $0 === channel }
    return true
  }
}

/// A disk as one backend sees it.
final class DiskChannel: BlockDevice {
  private let disk: SharedDisk
  /// The guest may not write, whatever the disk can.
  private let isRestricted: Bool
  /// Called for each command that is done, with its token and whether it succeeded.
  var onCompletion: (UInt64, Bool) -> Void = { _, _ in }
  /// Called when there may be room again after a command was refused.
  var onRoom: () -> Void = {}

  init(_ disk: SharedDisk, isReadOnly: Bool = false) {
    self.disk = disk
    isRestricted = isReadOnly
  }

  var sectorCount: UInt64 { disk.driver.sectorCount }
  var isReadOnly: Bool { isRestricted || disk.driver.isReadOnly }
  var canFlush: Bool { disk.driver.canFlush }
  var canDiscard: Bool { disk.driver.canDiscard && !isReadOnly }
  var canDiscardSecurely: Bool { false }
  func submit(_ command: BlockCommand) -> Bool { disk.submit(command, from: self) }
}
