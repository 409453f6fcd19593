// Machine memory as the hypervisor sees it: frames, machine addresses, and the direct map
// through which all of it can be reached.

import CMachine

/// The number of a page of machine memory.
struct MachineFrame: Comparable {
  let number: UInt64

  var address: MachineAddress { MachineAddress(number << 12) }

  static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// An address of machine memory.
struct MachineAddress: Comparable {
  let value: UInt64

  init(_ value: UInt64) { self.value = value }

  var frame: MachineFrame { MachineFrame(number: value >> 12) }

  static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// The map of all machine memory in the hypervisor's hole.
enum DirectMap {
  /// The memory at `address`.
  ///
  /// The caller knows that the direct map reaches it: below 4 GiB, or RAM of the memory map.
  static func pointer(to address: MachineAddress) -> UnsafeMutableRawPointer {
    // SAFETY: the address is not zero, because the direct map's base is added.
    UnsafeMutableRawPointer(bitPattern: UInt(XG_DIRECT_BASE) &+ UInt(address.value))
      .unsafelyUnwrapped
  }

  /// The words of `frame`, as of a page table.
  static func words(of frame: MachineFrame) -> UnsafeMutablePointer<UInt64> {
    pointer(to: frame.address).assumingMemoryBound(to: UInt64.self)
  }

  /// Reads a value that need not be aligned.
  static func load<T: BitwiseCopyable>(_ type: T.Type, at address: MachineAddress) -> T {
    pointer(to: address).loadUnaligned(as: T.self)
  }
}
