// The real thing: Debian's kernel with debugging information, against llvm-symbolizer.

import Foundation
import Testing

@testable import KernelImage

private let kernelPath = ProcessInfo.processInfo.environment["XENOGRAFT_TEST_VMLINUX_DBG"]

@Suite(
  .enabled(if: kernelPath != nil, "XENOGRAFT_TEST_VMLINUX_DBG names no kernel with DWARF"),
  .enabled(if: DwarfToolchain.isAvailable, "needs LLVM's tools"))
struct DwarfKernelTests {
  /// Bytes of wrmsr, rdmsr, rdtsc, cpuid, swapgs, lgdt, iretq, and moves to and from CR3 and CR4.
  private static let sensitive: [[UInt8]] = [
    [0x0f, 0x30], [0x0f, 0x32], [0x0f, 0x31], [0x0f, 0xa2], [0x0f, 0x01, 0xf8], [0x0f, 0x01, 0x10],
    [0x48, 0xcf], [0x0f, 0x22, 0xd8], [0x0f, 0x20, 0xd8], [0x0f, 0x22, 0xe0], [0x0f, 0x20, 0xe0],
  ]

  @Test(.timeLimit(.minutes(10)))
  func `at least 99.9 percent of locations equal the reference`() throws {
    let path = try #require(kernelPath)
    let tools = try DwarfToolchain()
    let elf = try DwarfElf(path: path)
    var addresses: [UInt64] = []
    for (index, section) in elf.sections.enumerated() where section.flags & 4 != 0 {
      let bytes = try elf.storedBytes(of: index)
      guard !bytes.isEmpty, section.name != ".altinstr_replacement" else { continue }
      addresses += stride(from: 0, to: bytes.count, by: 4099).map { section.address + UInt64($0) }
      addresses += Self.positions(in: bytes).map { section.address + UInt64($0) }
    }
    addresses = Array(Set(addresses)).sorted()
    #expect(addresses.count > 4000)
    let reference = try tools.reference(for: addresses, in: path)
    let located = try SourceLocator(elfPath: path).locateDetailed(addresses, jobs: 2)
    let ours = Dictionary(uniqueKeysWithValues: zip(addresses, located))
    let different = differences(ours, reference)
    let known = reference.values.count { !$0.isEmpty }
    #expect(known > 3000)
    #expect(different.count * 1000 <= known, "\(different.prefix(20).joined(separator: "\n"))")
  }

  /// The places where the bytes of a sensitive instruction stand, whatever they mean there.
  private static func positions(in bytes: UnsafeRawBufferPointer) -> [Int] {
    var found: [Int] = []
    for position in bytes.indices.dropLast(3) {
      let first = bytes[position]
      guard first == 0x0f || first == 0x48 else { continue }
      if sensitive.contains(where: { bytes[position...].starts(with: $0) }) {
        found.append(position)
      }
    }
    return found
  }
}
