// The memory of the machine that QEMU emulates, as the file that it is kept in: rootstock_saved.h says
// what of a domain is found there.

import Foundation
import X86

/// Memory of a machine in frames.
protocol FrameSource {
  /// The bytes of a frame, 4096; nil where the machine has no such frame.
  func frame(_ number: UInt64) -> [UInt8]?
}

/// The file with a machine's memory, all of it below the hole for devices.
final class MachineMemory: FrameSource {
  /// The name in the folder of a run.
  static let fileName = "memory"
  /// In MiB: above it the file and the addresses part.
  static let mostMemory = 3 << 10

  private let descriptor: Int32

  /// - Throws: ``HarnessError/emulator(message:)`` where the file cannot be read.
  init(folder: URL) throws(HarnessError) {
    let path = folder.appending(path: Self.fileName).path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .emulator(message: "its memory cannot be read: \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  func frame(_ number: UInt64) -> [UInt8]? {
    guard number < UInt64(Self.mostMemory) << 8 else { return nil }
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      count = max(0, pread(descriptor, buffer.baseAddress, 4096, off_t(number << 12)))
    }
    return bytes.count == 4096 ? bytes : nil
  }
}

extension [UInt8] {
  /// The 64-bit number at an offset, little-endian.
  func word(_ offset: Int) -> UInt64 {
    withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
  }

  /// The 32-bit number at an offset, little-endian.
  func half(_ offset: Int) -> UInt32 {
    withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
  }

  /// Changes the 64-bit number at an offset.
  mutating func setWord(_ offset: Int, _ value: UInt64) {
    withUnsafeMutableBytes {
      $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
    }
  }

  /// Changes the 32-bit number at an offset.
  mutating func setHalf(_ offset: Int, _ value: UInt32) {
    withUnsafeMutableBytes {
      $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }
  }

  /// The entry of a page table at an index.
  func entry(_ index: Int) -> PageTableEntry { PageTableEntry(rawValue: word(index * 8)) }
}
