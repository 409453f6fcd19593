// What was typed on the console's line, until the domain that has the console reads it.

import CXenABI

/// Bytes in the order in which they came, up to a limit.
public struct InputQueue {
  /// How many bytes there can be.
  public static var capacity: Int { 1024 }

  private var bytes = InlineArray<1024, UInt8>(repeating: 0)
  private var first = 0
  /// How many bytes wait.
  public private(set) var count = 0

  /// An empty queue.
  public init() {}

  /// Whether there is no room for a byte.
  public var isFull: Bool { count == Self.capacity }

  /// Adds a byte; false where there is no room.
  public mutating func append(_ byte: UInt8) -> Bool {
    guard !isFull else { return false }
    bytes[(first + count) % Self.capacity] = byte
    count += 1
    return true
  }

  /// Copies the oldest bytes, as many as `buffer` has room for, and leaves them where they are.
  ///
  /// Answers how many.
  public func copy(to buffer: UnsafeMutableRawBufferPointer) -> Int {
    let length = min(count, buffer.count)
    for index in 0..<length { buffer[index] = bytes[(first + index) % Self.capacity] }
    return length
  }

  /// Removes the oldest bytes.
  public mutating func removeFirst(_ number: Int) {
    let number = min(number, count)
    first = (first + number) % Self.capacity
    count -= number
  }
}

extension Hypervisor {
  /// Tells the domain that has the console that there is input.
  ///
  /// The machine calls this with the core lock held.
  public func noteInput() {
    guard let domain = domains.find(DomainID(0)), !domain.pointee.isDying else { return }
    raise(interrupt: UInt32(VIRQ_CONSOLE), vcpu: domain.pointee.vcpus[0], of: domain)
  }
}
