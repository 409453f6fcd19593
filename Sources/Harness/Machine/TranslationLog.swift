// Which of some instructions of the guest ran, out of QEMU's log of the code that it translates: TCG
// translates what it is about to run, and no byte of the guest changes. It says nothing of how often;
// and code behind a fault in the same straight line counts as run.

import Foundation
import Synchronization

/// An instruction that was watched.
public struct WatchRecord: Sendable, Equatable {
  public var place: CodePlace
  /// The guest came by at least once.
  public var isRun: Bool
}

/// A pipe that QEMU writes its log into.
final class TranslationLog: Sendable {
  private struct State {
    var ran: Set<UInt64> = []
    /// Something came: the machine has a log.
    var isThere = false
    var isEnded = false
  }

  /// The pipe's name in the folder of the run.
  private static let name = "translated"
  private static let page: UInt64 = 4096
  /// Stretches that QEMU's filter is given; beyond, one over all of them.
  private static let mostStretches = 1000
  private static let interval: Int32 = 50

  private let watched: Set<UInt64>
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)
  private let descriptor: Int32

  /// Makes the pipe in `folder` and begins to read.
  init(_ watched: [UInt64], in folder: URL) throws(HarnessError) {
    self.watched = Set(watched)
    let path = folder.appending(path: Self.name).path
    // Open for both, the pipe has no end before this side says so.
    guard mkfifo(path, 0o600) == 0 else { throw Self.failure() }
    descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure() }
    Thread.detachNewThread { [self] in read() }
  }

  private static func failure() -> HarnessError {
    .emulator(message: "no pipe for its log: \(String(cString: strerror(errno)))")
  }

  /// What QEMU is called with, for it to log the code around `addresses`.
  static func emulatorArguments(_ addresses: [UInt64]) -> [String] {
    var stretches: [(first: UInt64, last: UInt64)] = []
    for first in Set(addresses.map { $0 / page }).sorted().map({ $0 * page }) {
      let last = first + (page - 1)
      if let previous = stretches.last, previous.last &+ 1 == first {
        stretches[stretches.count - 1].last = last
      } else {
        stretches.append((first, last))
      }
    }
    if stretches.count > mostStretches {
      stretches = [(stretches[0].first, stretches[stretches.count - 1].last)]
    }
    let filter = stretches.map { "\(Hex.text($0.first))..\(Hex.text($0.last))" }
    return ["-d", "in_asm", "-D", name, "-dfilter", filter.joined(separator: ",")]
  }

  /// Reads what is left after the machine's end, and gives the records; `nil` where no log came.
  func end() -> [WatchRecord]? {
    state.withLock { $0.isEnded = true }
    ended.wait()
    return state.withLock { state in
      guard state.isThere else { return nil }
      return watched.sorted().map {
        WatchRecord(place: CodePlace(address: $0), isRun: state.ran.contains($0))
      }
    }
  }

  private func read() {
    defer {
      close(descriptor)
      ended.signal()
    }
    var lines = TranslatedAddresses()
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let isEnded = state.withLock { $0.isEnded }
      if Foundation.poll(&poll, 1, isEnded ? 0 : Self.interval) <= 0 {
        if isEnded { return }
        continue
      }
      let count = Foundation.read(descriptor, &bytes, bytes.count)
      guard count > 0 else { continue }
      let found = lines.take(bytes[..<count]).filter(watched.contains)
      state.withLock { state in
        state.isThere = true
        state.ran.formUnion(found)
      }
    }
  }
}

/// Finds addresses in the log: each instruction has a line that begins with its own.
struct TranslatedAddresses {
  private static let longest = 18

  /// The line so far, as far as an address may reach.
  private var line: [UInt8] = []
  private var isSkipping = false

  /// The addresses whose lines have come as far as the colon in this piece.
  mutating func take(_ piece: ArraySlice<UInt8>) -> [UInt64] {
    var addresses: [UInt64] = []
    for byte in piece {
      switch byte {
      case UInt8(ascii: "\n"):
        line.removeAll(keepingCapacity: true)
        isSkipping = false
      case _ where isSkipping: break
      case UInt8(ascii: ":"):
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("0x"), let address = Hex.value(text) { addresses.append(address) }
        isSkipping = true
      default:
        line.append(byte)
        isSkipping = line.count > Self.longest
      }
    }
    return addresses
  }
}
