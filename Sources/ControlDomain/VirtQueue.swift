// A split virtqueue: VIRTIO 1.1, 2.6. The layout of legacy devices serves both forms:
//
//     descriptors, 16 bytes each | available: flags, index, ring, event | to a page's end
//     used: flags, index, (id, length) each, event
//
// Each descriptor stands for one request and has the same number all the time, so there are no
// chains here: a request of several pieces has a table of its own (indirect descriptors).

internal import CGuest
import GuestRuntime

/// What a descriptor says of its memory.
enum DescriptorFlag {
  static let next: UInt16 = 1
  static let deviceWrites: UInt16 = 2
  static let indirect: UInt16 = 4
}

/// A descriptor in memory.
struct Descriptor {
  var address: UInt64
  var count: UInt32
  var flags: UInt16
  var next: UInt16
}

/// One queue.
final class VirtQueue {
  let size: UInt16
  private let transport: VirtioTransport
  private let index: UInt16
  private let memory: UnsafeMutableRawPointer
  private let usedOffset: Int
  private var produced: UInt16 = 0
  private var consumed: UInt16 = 0
  private var availableOffset: Int { Int(size) * 16 }

  init?(size: UInt16, _ transport: VirtioTransport, _ index: UInt16) {
    guard size > 0, size & (size - 1) == 0, size <= 1024 else { return nil }
    self.size = size
    self.transport = transport
    self.index = index
    usedOffset = (Int(size) * 16 + 6 + Int(size) * 2 + 4095) & ~4095
    let pages = (usedOffset + 6 + Int(size) * 8 + 4095) >> 12
    guard let memory = Memory.takePages(pages, isContiguous: true) else { return nil }
    self.memory = memory
  }

  var descriptorAddress: UInt64 { Memory.machineAddress(of: memory) }
  var availableAddress: UInt64 { descriptorAddress + UInt64(availableOffset) }
  var usedAddress: UInt64 { descriptorAddress + UInt64(usedOffset) }

  private func word(_ offset: Int) -> UnsafeMutablePointer<UInt16> {
    // SAFETY: offsets are computed from masked indexes and lie inside the queue's pages.
    (memory + offset).assumingMemoryBound(to: UInt16.self)
  }

  /// Describes a request under its number; `submit` makes it known.
  func describe(_ number: UInt16, address: UInt64, count: UInt32, flags: UInt16) {
    let descriptor = Descriptor(address: address, count: count, flags: flags, next: 0)
    (memory + Int(number) * 16).storeBytes(of: descriptor, as: Descriptor.self)
  }

  /// Puts a request into the ring, which the device sees from the next `publish` on.
  func submit(_ number: UInt16) {
    word(availableOffset + 4 + Int(produced & (size - 1)) * 2).pointee = number
    produced &+= 1
  }

  /// Shows the device what was submitted, and tells it unless it does not want to be told.
  func publish() {
    guest_release16(word(availableOffset + 2), produced)
    // The index before the look at the flag.
    guest_full_barrier()
    if guest_acquire16(word(usedOffset)) & 1 == 0 { transport.notify(index) }
  }

  /// Lets the device be silent: whoever is awake looks by itself.
  func stopInterrupts() { word(availableOffset).pointee = 1 }

  /// Asks for an interrupt when the device has next finished something; true where it has already.
  func wait() -> Bool {
    word(availableOffset).pointee = 0
    // The wish before the look.
    guest_full_barrier()
    return hasUsed
  }

  /// Whether the device has finished something.
  var hasUsed: Bool { guest_acquire16(word(usedOffset + 2)) != consumed }

  /// The next request that the device has finished, and how many bytes it has written.
  func takeUsed() -> (number: UInt16, count: UInt32)? {
    guard hasUsed else { return nil }
    let place = memory + usedOffset + 4 + Int(consumed & (size - 1)) * 8
    consumed &+= 1
    let number = place.load(as: UInt32.self)
    guard number < UInt32(size) else { return nil }
    return (UInt16(number), place.load(fromByteOffset: 4, as: UInt32.self))
  }
}
