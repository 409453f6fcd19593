// Multiboot images without ELF, raw code, and files of no known format.

import Testing

@testable import KernelImage

@Suite struct MultibootTests {
  /// A file whose header stands 16 bytes in and loads it at 1 MiB.
  static func image(loadEnd: UInt32 = 0, loadAddress: UInt32 = 0x10_0000) -> [UInt8] {
    var file = ByteWriter()
    file.put(SampleImages.code)
    let flags: UInt32 = 1 << 16
    file.put(UInt32(0x1bad_b002))
    file.put(flags)
    file.put(0 &- UInt32(0x1bad_b002) &- flags)
    file.put(UInt32(0x10_0010))
    file.put(loadAddress)
    file.put(loadEnd)
    file.put(UInt32(0))
    file.put(UInt32(0x10_0002))
    file.put(SampleImages.code)
    return file.bytes
  }

  @Test func addressesInTheHeader_placeTheFile() throws {
    let image = try readImage(Self.image())
    #expect(image.format == .multiboot)
    #expect(image.width == .bits32)
    #expect(image.sections.map(\.address) == [0x10_0000])
    #expect(image.sections.map(\.size) == [UInt64(Self.image().count)])
    #expect(image.entries.map(\.address) == [0x10_0002])
  }

  @Test func loadEnd_cutsTheFile() throws {
    let image = try readImage(Self.image(loadEnd: 0x10_0020))
    #expect(image.sections.map(\.size) == [0x20])
  }

  @Test func addressesOutsideTheFile_areMalformed() {
    #expect(readingError(Self.image(loadEnd: 0x20_0000))?.code == .malformed)
    #expect(readingError(Self.image(loadEnd: 1))?.code == .malformed)
    #expect(readingError(Self.image(loadAddress: 0x10_0011))?.code == .malformed)
    #expect(readingError(Self.image(loadAddress: 0))?.code == .malformed)
  }

  @Test func rawCode_isReadAsToldWhateverItLooksLike() throws {
    let options = OpenOptions(raw: .init(width: .bits16, base: 0x7c00))
    let image = try readImage(SampleImages.executable().build(), options: options)
    #expect(image.format == .raw)
    #expect(image.width == .bits16)
    #expect(image.sections.map(\.address) == [0x7c00])
    #expect(image.elfPath == nil)
    #expect(readingError([], options: options)?.code == .malformed)
    let high = OpenOptions(raw: .init(width: .bits64, base: .max))
    #expect(readingError([1, 2], options: high)?.code == .malformed)
    #expect(readingError([1], options: high) == nil)
  }

  @Test func otherFiles_areUnknown() {
    #expect(readingError([])?.code == .unknownFormat)
    let error = readingError(Array("#!/bin/sh\n".utf8))
    #expect(error?.code == .unknownFormat)
    #expect(error?.found.contains("23 21") == true)
  }
}
