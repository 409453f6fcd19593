// Small images made by hand for the tests of the context tables: a .text, a .altinstr_replacement
// and whatever table the test writes.

@testable import Audit
@testable import KernelImage

/// Owns the bytes of a made-up section.
///
/// `@unchecked Sendable`: written only in the initializer.
private final class SectionBytes: @unchecked Sendable {
  let buffer: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    buffer = .allocate(byteCount: max(bytes.count, 1), alignment: 16)
    buffer.copyBytes(from: bytes)
  }

  deinit { buffer.deallocate() }
}

/// Describes a section before its index is known.
struct SectionSpec {
  var name: String
  var address: UInt64
  var bytes: [UInt8]
  var isExecutable = false
}

/// Where the sections of the made-up images begin.
enum Base {
  static let text: UInt64 = 0xffff_ffff_8100_0000
  static let replacement: UInt64 = 0xffff_ffff_8200_0000
  static let table: UInt64 = 0xffff_ffff_8300_0000
  static let data: UInt64 = 0xffff_ffff_8400_0000
}

/// An image of the given sections, indexed in order.
func makeImage(
  _ specs: [SectionSpec], symbols: [ImageSymbol] = [], entries: [CodeEntry] = [],
  width: CodeWidth = .bits64, isRelocatable: Bool = false
) -> KernelImage {
  let sections = specs.enumerated().map { index, spec in
    let owner = SectionBytes(spec.bytes)
    // SAFETY: the owner is held by ImageBytes; the slice is within its allocation.
    let buffer = UnsafeRawBufferPointer(rebasing: owner.buffer[0..<spec.bytes.count])
    return ImageSection(
      index: index, name: spec.name, address: spec.address, size: UInt64(spec.bytes.count),
      isAllocated: true, isExecutable: spec.isExecutable, isWritable: false,
      bytes: ImageBytes(owner: owner, buffer: buffer))
  }
  return KernelImage(
    path: "made-up", format: .elf64, width: width, isRelocatable: isRelocatable, buildID: nil,
    sections: sections, symbols: symbols, entries: entries, elfPath: nil, remarks: [])
}

/// A text section, replacement code and one table.
func makeImage(
  table name: String, _ bytes: [UInt8], text: [UInt8]? = nil, width: CodeWidth = .bits64
) -> KernelImage {
  makeImage(
    [
      SectionSpec(
        name: ".text", address: Base.text,
        bytes: text ?? [UInt8](repeating: 0x90, count: 0x1000), isExecutable: true),
      SectionSpec(
        name: ".altinstr_replacement", address: Base.replacement,
        bytes: [UInt8](repeating: 0x90, count: 0x100), isExecutable: true),
      SectionSpec(name: name, address: Base.table, bytes: bytes),
      SectionSpec(
        name: ".data", address: Base.data, bytes: [UInt8](repeating: 0, count: 0x1000)),
    ], width: width)
}

/// Writes little-endian fields one after the other, some of them relative to their own address.
struct TableWriter {
  var bytes: [UInt8] = []
  var address = Base.table

  mutating func integer(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func relative32(to target: UInt64) {
    integer(Int32(truncatingIfNeeded: target &- (address &+ UInt64(bytes.count))))
  }

  mutating func relative64(to target: UInt64) {
    integer(Int64(bitPattern: target &- (address &+ UInt64(bytes.count))))
  }
}

/// Repeatable pseudo-random numbers (a linear congruential generator; quality does not matter).
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}
