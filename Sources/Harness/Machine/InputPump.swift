// What is typed, on its way to the machine's serial line. Nothing is sent before the other side listens:
// a serial port drops what it holds when it is set up.

import Foundation
import Synchronization
import SystemPackage

/// Where the guest's input comes from.
public struct GuestInput: Sendable {
  /// The file, pipe or terminal that is read; its end leaves the guest running.
  public var descriptor: Int32
  /// The byte that ends the run instead of going to the guest; `nil` for none.
  public var escape: UInt8?
  /// Called once when that byte has come.
  public var onEscape: @Sendable () -> Void

  /// Input from a descriptor.
  public init(
    descriptor: Int32, escape: UInt8? = nil, onEscape: @escaping @Sendable () -> Void = {}
  ) {
    self.descriptor = descriptor
    self.escape = escape
    self.onEscape = onEscape
  }
}

/// Copies input into a pipe whose other end the machine has, byte by byte as it comes.
final class InputPump: Sendable {
  private struct State {
    var isOpen = false
    var isStopped = false
  }

  /// Bytes that wait for the machine; more stay where they come from.
  private static let most = 64 << 10
  /// How soon a change of state is seen, in milliseconds.
  private static let interval: Int32 = 50

  /// The end for the machine.
  let machineEnd: FileDescriptor
  private let ownEnd: Int32
  private let input: GuestInput
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// Begins to read; nothing is passed on before `open`.
  init(_ input: GuestInput) throws(HarnessError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw .emulator(message: "no pipe for its input: \(String(cString: strerror(errno)))")
    }
    machineEnd = FileDescriptor(rawValue: ends[0])
    ownEnd = ends[1]
    self.input = input
    // QEMU must not hold its own input open.
    _ = fcntl(ownEnd, F_SETFD, FD_CLOEXEC)
    _ = fcntl(ownEnd, F_SETFL, O_NONBLOCK)
    Thread.detachNewThread { [self] in copy() }
  }

  /// The other side listens.
  func open() { state.withLock { $0.isOpen = true } }

  /// The machine has ended: nothing is read any more when this returns.
  func stop() {
    state.withLock { $0.isStopped = true }
    ended.wait()
  }

  private func copy() {
    defer {
      close(ownEnd)
      ended.signal()
    }
    var waiting: [UInt8] = []
    var isAtEnd = false
    while true {
      let now = state.withLock { $0 }
      if now.isStopped { return }
      // A descriptor below 0 is not looked at.
      var descriptors = [
        pollfd(
          fd: isAtEnd || waiting.count >= Self.most ? -1 : input.descriptor,
          events: Int16(POLLIN), revents: 0),
        pollfd(
          fd: now.isOpen && !waiting.isEmpty ? ownEnd : -1, events: Int16(POLLOUT), revents: 0),
      ]
      guard poll(&descriptors, 2, Self.interval) >= 0 || errno == EINTR else { return }
      if descriptors[0].revents != 0 {
        guard let bytes = read() else {
          isAtEnd = true
          continue
        }
        if let escape = input.escape, bytes.contains(escape) { return input.onEscape() }
        waiting += bytes
      }
      if now.isOpen, !waiting.isEmpty, !send(&waiting) { return }
    }
  }

  /// What has come; `nil` at the end.
  private func read() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes {
      Foundation.read(input.descriptor, $0.baseAddress, $0.count)
    }
    if count < 0, errno == EINTR || errno == EAGAIN { return [] }
    return count > 0 ? Array(bytes[..<count]) : nil
  }

  /// Sends what the pipe takes; false when nobody reads it any more.
  private func send(_ bytes: inout [UInt8]) -> Bool {
    let count = bytes.withUnsafeBytes { Foundation.write(ownEnd, $0.baseAddress, $0.count) }
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    bytes.removeFirst(count)
    return true
  }
}
