// The life of a disk's driver: a pattern is written over the disk, flushed, read back and compared,
// byte by byte. Words of the command line: disk=N (51712 is xvda), mib=N of it (64), written (it is only read), and features that
// are left out: no-persistent, no-indirect, no-flush, no-discard; ring-order=N, queues=N.

import CXenABI

private let chunk = 65536
private let sectors = UInt64(chunk) / 512
private let underWay = 8

/// A disk that has been found.
///
/// From `ready` on `submit` may be called for it.
final class Disk: BlockDevice<System> {
  nonisolated(unsafe) static var found: Disk? = nil

  override func ready() {
    let wanted = Words.number("disk=", otherwise: 0)
    if Disk.found == nil, wanted == 0 || wanted == UInt64(id) { Disk.found = self }
  }
}

/// A request and its memory; used again when it has been answered.
private final class Transfer {
  let data = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 16)
  let request = BlockRequest(.read)
  var isBusy = false

  /// The bytes of each sector follow from its number.
  private func word(_ index: Int) -> UInt64 {
    (request.sector * 64 + UInt64(index) + 1) &* 0x9e37_79b9_7f4a_7c15
  }

  func fill() {
    for index in 0..<chunk / 8 {
      data.storeBytes(of: word(index).littleEndian, toByteOffset: index * 8, as: UInt64.self)
    }
  }

  func clear() { _ = data.initializeMemory(as: UInt8.self, repeating: 0) }

  var isAsWritten: Bool {
    (0..<chunk / 8).allSatisfy {
      UInt64(littleEndian: data.load(fromByteOffset: $0 * 8, as: UInt64.self)) == word($0)
    }
  }
}

/// What came of the transfers.
private final class Transfers {
  let all = (0..<underWay).map { _ in Transfer() }
  var errors = 0
  var wrong = 0

  /// Reads or writes so many chunks, several at a time.
  func run(_ life: Life, _ disk: Disk, _ operation: BlockOperation, _ chunks: UInt64) {
    var next: UInt64 = 0
    while next < chunks {
      for transfer in all where !transfer.isBusy && next < chunks {
        start(transfer, disk, operation, next)
        next += 1
      }
      let isIdle = life.serve(seconds: 120) { self.all.contains { !$0.isBusy } }
      if !isIdle { break }
    }
    let areDone = life.serve(seconds: 120) { self.all.allSatisfy { !$0.isBusy } }
    if !areDone { errors += 1 }
    say(operation == .write ? "wrote " : "read ")
    say(number: chunks * UInt64(chunk) / 1024)
    say(" KiB\n")
  }

  private func start(
    _ transfer: Transfer, _ disk: Disk, _ operation: BlockOperation, _ number: UInt64
  ) {
    let request = transfer.request
    request.operation = operation
    request.sector = number * sectors
    request.count = sectors
    request.data = transfer.data.baseAddress
    if operation == .write { transfer.fill() } else { transfer.clear() }
    transfer.isBusy = true
    request.done = { request in
      transfer.isBusy = false
      if request.failure != nil {
        self.errors += 1
      } else if operation == .read, !transfer.isAsWritten {
        self.wrong += 1
      }
    }
    do throws(Failure) {
      try disk.submit(request)
    } catch {
      transfer.isBusy = false
      errors += 1
    }
  }
}

private func options() -> BlockOptions {
  var options = BlockOptions()
  options.persistent = !Words.has("no-persistent")
  options.flush = !Words.has("no-flush")
  options.discard = !Words.has("no-discard")
  if Words.has("no-indirect") { options.indirectSegments = 0 }
  options.ringOrder = UInt32(clamping: Words.number("ring-order=", otherwise: 1))
  options.queues = UInt32(clamping: Words.number("queues=", otherwise: 1))
  return options
}

private func flush(_ disk: Disk) -> Bool {
  do throws(Failure) {
    try disk.wait(BlockRequest(.flush))
    return true
  } catch {
    return false
  }
}

private func use(_ disk: Disk, _ life: Life) {
  let transfers = Transfers()
  let wanted = Words.number("mib=", otherwise: 64) * 1_048_576 / UInt64(chunk)
  let chunks = min(wanted, disk.sectors / sectors)
  let isOnlyRead = disk.isReadOnly || Words.has("written")
  if !isOnlyRead {
    transfers.run(life, disk, .write, chunks)
    if disk.hasFlush { life.check("flush", flush(disk)) }
  }
  transfers.run(life, disk, .read, chunks)
  life.check("no errors", transfers.errors == 0)
  // A disk that cannot be written holds the pattern only if somebody says so.
  if !disk.isReadOnly || Words.has("written") {
    life.check("every byte as written", transfers.wrong == 0)
  }
}

/// The driver's life; 0, or a negative error.
@c(xg_run) public func run() -> Int32 {
  let life = Life()
  let options = options()
  do throws(Failure) {
    try life.start([Driver(type: "vbd") { Disk(bus: life.bus, path: $0, options: options) }])
  } catch {
    return -error.number
  }
  life.check("a disk", life.serve(seconds: 30) { Disk.found != nil })
  if let disk = Disk.found { use(disk, life) }
  life.bus.stop()
  life.serve(seconds: 5) { life.grants.used == 0 }
  life.check("every grant came back", life.grants.used == 0)
  life.end()
  return 0
}
