// A disk: VIRTIO 1.1, 5.2. Each request that is on its way has a page:
//
//     header, 16 bytes | status, 1 byte ... | from 64 on: table of descriptors
//
// A command of more pieces than a table or the device takes becomes several requests; it is done
// when all of them are.

package import ControlCore
import GuestRuntime

/// A disk of the machine.
package final class VirtioBlock {
  private enum Feature {
    static let segmentLimit: UInt64 = 1 << 2
    static let readOnly: UInt64 = 1 << 5
    static let flush: UInt64 = 1 << 9
    static let discard: UInt64 = 1 << 13
  }
  private static let slotLimit: UInt16 = 64
  private static let tableOffset = 64

  private struct Command {
    var token: UInt64
    var left: Int
    var isDone: Bool
  }

  private let transport: VirtioTransport
  private let queue: VirtQueue
  private let features: UInt64
  private let pieceLimit: Int
  private let discardLimit: UInt64
  private var pages: [UnsafeMutableRawPointer] = []
  private var freeSlots: [UInt16] = []
  /// Which command a slot is part of.
  private var owners: [Int] = []
  private var commands: [Command] = []
  private var freeCommands: [Int] = []
  /// Something was submitted since the device was told last.
  private var isPending = false

  /// Sectors of 512 bytes.
  package let sectorCount: UInt64
  package var isReadOnly: Bool { features & Feature.readOnly != 0 }
  package var canFlush: Bool { features & Feature.flush != 0 }
  package var canDiscard: Bool { features & Feature.discard != 0 }
  var isLegacy: Bool { transport.isLegacy }

  /// Called for each command that is done, with its token and whether it succeeded.
  package var onCompletion: (UInt64, Bool) -> Void = { _, _ in }

  init?(_ transport: VirtioTransport) {
    let wanted = Feature.segmentLimit | Feature.readOnly | Feature.flush | Feature.discard
    guard let features = transport.negotiate(wanted),
      let queue = transport.makeQueue(0, limit: 128)
    else { return nil }
    self.transport = transport
    self.queue = queue
    self.features = features
    sectorCount = transport.configuration(0, byteCount: 8)
    let room = (Memory.pageSize - Self.tableOffset) / 16 - 2
    let limit = features & Feature.segmentLimit != 0 ? transport.configuration(12, byteCount: 4) : 1
    pieceLimit = max(1, min(room, Int(limit)))
    discardLimit = features & Feature.discard != 0 ? transport.configuration(36, byteCount: 4) : 0
    for slot in 0..<min(Self.slotLimit, queue.size) {
      guard let page = Memory.takePages(1) else { return nil }
      pages.append(page)
      owners.append(0)
      freeSlots.append(slot)
    }
    transport.start()
  }

  /// Takes a command; false where there is no room for it at the moment.
  ///
  /// The device is told at the next `flush`.
  /// The caller has checked that it is within the disk, and that the pieces have as many bytes as
  /// the sectors.
  package func submit(
    _ action: BlockAction, sector: UInt64 = 0, sectorCount: UInt64 = 0, pieces: [BlockPiece] = [],
    token: UInt64
  ) -> Bool {
    var parts = 1
    if action == .discard {
      guard discardLimit > 0 else { return false }
      parts = Int((sectorCount + discardLimit - 1) / discardLimit)
    } else if pieces.count > pieceLimit {
      parts = (runCount(pieces) + pieceLimit - 1) / pieceLimit
    }
    guard parts > 0, parts <= freeSlots.count else { return false }
    let command = Command(token: token, left: parts, isDone: true)
    let number: Int
    if let free = freeCommands.popLast() {
      number = free
      commands[free] = command
    } else {
      number = commands.count
      commands.append(command)
    }
    if action == .discard {
      discard(sector, sectorCount, number)
    } else {
      transfer(action, sector, pieces, number)
    }
    isPending = true
    return true
  }

  /// Pieces that adjoin in the machine are one run.
  private func runCount(_ pieces: [BlockPiece]) -> Int {
    var count = 0
    var end: UInt64 = 0
    for index in pieces.indices {
      if pieces[index].machine != end || index == 0 { count += 1 }
      end = pieces[index].machine + UInt64(pieces[index].count)
    }
    return count
  }

  private func transfer(
    _ action: BlockAction, _ sector: UInt64, _ pieces: [BlockPiece], _ command: Int
  ) {
    let flags = action == .read ? DescriptorFlag.deviceWrites : 0
    var sector = sector
    var next = 0
    repeat {
      guard let slot = freeSlots.popLast() else { return }
      begin(slot, command, action, sector: sector)
      var entry = 1
      while next < pieces.count, entry <= pieceLimit {
        let machine = pieces[next].machine
        var count = 0
        while next < pieces.count, pieces[next].machine == machine + UInt64(count) {
          count += pieces[next].count
          next += 1
        }
        add(slot, &entry, machine, count, flags)
        sector += UInt64(count / 512)
      }
      finish(slot, &entry)
    } while next < pieces.count
  }

  /// A discard has its range as data: VIRTIO 1.1, 5.2.6.
  private func discard(_ sector: UInt64, _ count: UInt64, _ command: Int) {
    var sector = sector
    var left = count
    while left > 0, let slot = freeSlots.popLast() {
      let part = min(left, discardLimit)
      begin(slot, command, .discard, sector: 0)
      let page = pages[Int(slot)]
      page.storeBytes(of: sector, toByteOffset: 32, as: UInt64.self)
      page.storeBytes(of: UInt32(truncatingIfNeeded: part), toByteOffset: 40, as: UInt32.self)
      page.storeBytes(of: 0, toByteOffset: 44, as: UInt32.self)
      var entry = 1
      add(slot, &entry, Memory.machineAddress(of: page) + 32, 16, 0)
      finish(slot, &entry)
      sector += part
      left -= part
    }
  }

  /// The type of a request: VIRTIO 1.1, 5.2.6.
  private static func type(of action: BlockAction) -> UInt32 {
    switch action {
    case .read: 0
    case .write: 1
    case .flush: 4
    case .discard: 11
    }
  }

  private func begin(_ slot: UInt16, _ command: Int, _ action: BlockAction, sector: UInt64) {
    let page = pages[Int(slot)]
    owners[Int(slot)] = command
    page.storeBytes(of: Self.type(of: action), as: UInt32.self)
    page.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
    page.storeBytes(of: sector, toByteOffset: 8, as: UInt64.self)
    // No device answers that, so a status that was never written is no success.
    page.storeBytes(of: 0xff, toByteOffset: 16, as: UInt8.self)
    var entry = 0
    add(slot, &entry, Memory.machineAddress(of: page), 16, 0)
  }

  private func add(
    _ slot: UInt16, _ entry: inout Int, _ address: UInt64, _ count: Int, _ flags: UInt16
  ) {
    let descriptor = Descriptor(
      address: address, count: UInt32(truncatingIfNeeded: count),
      flags: flags | DescriptorFlag.next, next: UInt16(entry + 1))
    (pages[Int(slot)] + Self.tableOffset + entry * 16).storeBytes(
      of: descriptor, as: Descriptor.self)
    entry += 1
  }

  /// Ends the table with the status byte, and hands the request over.
  private func finish(_ slot: UInt16, _ entry: inout Int) {
    let page = pages[Int(slot)]
    let machine = Memory.machineAddress(of: page)
    let last = Descriptor(
      address: machine + 16, count: 1, flags: DescriptorFlag.deviceWrites, next: 0)
    (page + Self.tableOffset + entry * 16).storeBytes(of: last, as: Descriptor.self)
    queue.describe(
      slot, address: machine + UInt64(Self.tableOffset), count: UInt32((entry + 1) * 16),
      flags: DescriptorFlag.indirect)
    queue.submit(slot)
  }

  /// Tells the device of what was submitted.
  func flush() {
    guard isPending else { return }
    isPending = false
    queue.publish()
  }

  /// Asks for an interrupt at the next end of a command; answers whether one has ended already.
  func wait() -> Bool { queue.wait() }

  /// Tells of everything that is done; answers whether there was anything.
  func collect() -> Bool {
    queue.stopInterrupts()
    guard queue.hasUsed else { return false }
    while let used = queue.takeUsed() {
      guard Int(used.number) < pages.count else { continue }
      let status = pages[Int(used.number)].load(fromByteOffset: 16, as: UInt8.self)
      let number = owners[Int(used.number)]
      freeSlots.append(used.number)
      commands[number].left -= 1
      if status != 0 { commands[number].isDone = false }
      if commands[number].left == 0 {
        let command = commands[number]
        freeCommands.append(number)
        onCompletion(command.token, command.isDone)
      }
    }
    return true
  }
}
