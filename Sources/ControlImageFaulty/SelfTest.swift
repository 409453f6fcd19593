// What `selftest` in the command line does: each disk is read, and written at its end, and each
// network is asked for its gateway. The last line says whether all of it went well. What the disks
// held at their end, and where sectors are discarded, is lost.

import ControlCore
import ControlDomain
import GuestRuntime

/// A run over all devices, one after another.
final class SelfTest {
  private let devices: Devices
  private var steps: [() -> Void] = []
  private var failures = 0
  private static let patience: UInt64 = 5_000_000_000
  init(_ devices: Devices) { self.devices = devices }

  func start() {
    for index in 0..<devices.disks.count { steps.append { [self] in testDisk(index) } }
    for index in 0..<devices.networks.count { steps.append { [self] in testNetwork(index) } }
    next()
  }

  private func next() {
    guard steps.isEmpty else { return steps.removeFirst()() }
    say(failures == 0 ? "selftest passed" : "selftest failed").end()
    Events.stop()
  }

  private func fail(_ what: StaticString) {
    failures += 1
    say("failure: ").text(what).end()
    next()
  }

  /// Sector 0 is told by its checksum; the last 64 KiB are written, read back and compared.
  private func testDisk(_ index: Int) {
    let disk = devices.disks[index]
    let pageCount = 16
    guard let page = Memory.takePages(1), let other = Memory.takePages(pageCount),
      disk.sectorCount >= UInt64(pageCount * 8)
    else { return fail("a disk too small, or no memory") }
    let pieces = (0..<pageCount).map { piece(other + $0 * 4096, 4096) }
    let first = disk.sectorCount - UInt64(pageCount * 8)
    var step: UInt64 = 0
    disk.onCompletion = { [self] token, isDone in
      guard token == step, isDone else { return fail("a command of a disk") }
      step += 1
      switch step {
      case 1:
        say("disk ").decimal(index).text(": sector 0 has checksum ")
          .decimal(Checksum.posix(UnsafeRawBufferPointer(start: page, count: 512))).end()
        guard !disk.isReadOnly else { return next() }
        Self.fill(other, pageCount * 4096, seed: UInt64(index + 1))
        _ = disk.submit(.write, sector: first, pieces: pieces, token: 1)
      case 2:
        guard disk.canFlush else { return fail("a disk without flushes") }
        _ = disk.submit(.flush, token: 2)
      case 3:
        other.initializeMemory(as: UInt8.self, repeating: 0, count: pageCount * 4096)
        _ = disk.submit(.read, sector: first, pieces: pieces, token: 3)
      case 4:
        guard Self.isFilled(other, pageCount * 4096, seed: UInt64(index + 1)) else {
          return fail("what was written to a disk is not read back")
        }
        say("disk ").decimal(index).text(": wrote, flushed and read 65536 bytes, checksum ")
          .decimal(
            Checksum.posix(UnsafeRawBufferPointer(start: other, count: pageCount * 4096))
          ).end()
        guard disk.canDiscard else { return next() }
        _ = disk.submit(.discard, sector: 8, sectorCount: 8, token: 4)
      default:
        say("disk ").decimal(index).text(": discarded 8 sectors").end()
        next()
      }
    }
    guard disk.submit(.read, sector: 0, pieces: [piece(page, 512)], token: 0) else {
      return fail("a disk that takes no command")
    }
  }

  private func piece(_ memory: UnsafeMutableRawPointer, _ count: Int) -> BlockPiece {
    BlockPiece(address: memory, machine: Memory.machineAddress(of: memory), count: count)
  }

  private static func word(_ index: Int, seed: UInt64) -> UInt64 {
    (UInt64(index) &+ seed) &* 0x9e37_79b9_7f4a_7c15
  }

  private static func fill(_ memory: UnsafeMutableRawPointer, _ count: Int, seed: UInt64) {
    for index in 0..<count / 8 {
      memory.storeBytes(of: word(index, seed: seed), toByteOffset: index * 8, as: UInt64.self)
    }
  }

  private static func isFilled(
    _ memory: UnsafeMutableRawPointer, _ count: Int, seed: UInt64
  ) -> Bool {
    for index in 0..<count / 8
    where memory.load(fromByteOffset: index * 8, as: UInt64.self) != word(index, seed: seed) {
      return false
    }
    return true
  }

  /// Asks who has 10.0.2.2, the gateway of QEMU's user network: RFC 826.
  private func testNetwork(_ index: Int) {
    let network = devices.networks[index]
    let gateway: [UInt8] = [10, 0, 2, 2]
    var isAnswered = false
    network.onFrame = { [self] frame in
      guard !isAnswered, frame.count >= 42, frame[12] == 8, frame[13] == 6, frame[21] == 2 else {
        return
      }
      for place in 0..<4 where frame[28 + place] != gateway[place] { return }
      isAnswered = true
      let line = say("network ").decimal(index).text(": 10.0.2.2 is at ")
      for place in 0..<6 {
        if place > 0 { line.text(":") }
        line.hex(frame[22 + place], digits: 2)
      }
      line.end()
      next()
    }
    var request = [UInt8](repeating: 0xff, count: 6)
    request += network.address
    request += [8, 6, 0, 1, 8, 0, 6, 4, 0, 1]
    request += network.address
    request += [10, 0, 2, 15, 0, 0, 0, 0, 0, 0]
    request += gateway
    let isSent = network.send(60) { place in
      place.initializeMemory(as: UInt8.self, repeating: 0, count: 60)
      for offset in 0..<request.count {
        place.storeBytes(of: request[offset], toByteOffset: offset, as: UInt8.self)
      }
    }
    guard isSent else { return fail("a network that sends nothing") }
    Events.after(Self.patience) { [self] in
      if !isAnswered { fail("no answer from 10.0.2.2") }
    }
  }
}

/// The checksum that `cksum` prints: POSIX.1, cksum.
enum Checksum {
  static func posix(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt32 = 0
    func take(_ byte: UInt8) {
      sum ^= UInt32(byte) << 24
      for _ in 0..<8 { sum = sum & 1 << 31 != 0 ? sum << 1 ^ 0x04c1_1db7 : sum << 1 }
    }
    for byte in bytes { take(byte) }
    var length = bytes.count
    while length > 0 {
      take(UInt8(truncatingIfNeeded: length))
      length >>= 8
    }
    return ~sum
  }
}
