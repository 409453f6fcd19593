// All machine memory, reached through its map in the hypervisor's hole.

import CMachine
import HypervisorCore

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
