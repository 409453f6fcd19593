// The fuzz targets' seeds (Fuzz/Seeds) are small files that the builders beside these tests make.
// XENOGRAFT_WRITE_SEEDS=1 writes them anew.

import Foundation
import Testing

@testable import KernelImage

@Suite struct SeedTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fuzz/Seeds").standardizedFileURL
  static let isWriting = ProcessInfo.processInfo.environment["XENOGRAFT_WRITE_SEEDS"] != nil

  /// Path and bytes of the seeds that are the same wherever they are made.
  static var made: [(path: String, bytes: [UInt8])] {
    let executable = SampleImages.executable()
    var segments = executable
    segments.hasSectionTable = false
    segments.sections = []
    segments.segments = [.init(address: 0x1000, physical: 0, bytes: SampleImages.code)]
    var small = PEBuilder()
    small.is64 = false
    small.machine = 0x14c
    small.base = 0x40_0000
    let map = "ffffffff81000000 T _text\nffffffff81000004 t second\t[module]\n"
    var seeds: [(path: String, bytes: [UInt8])] = [
      ("elf/executable", executable.build()), ("elf/module", SampleImages.module().build()),
      ("elf/module-i386", SampleImages.module32().build()), ("elf/segments", segments.build()),
      ("elf/i386", SampleImages.as32Bit(executable).build()),
      ("pe/pe32plus", PEBuilder().build()), ("pe/pe32", small.build()),
      ("pe/symbols", PortableExecutableTests.withSymbols().build()),
      ("bzimage/bare", BzImageBuilder(payload: SampleImages.code, statedSize: 0).build()),
      ("image/multiboot", MultibootTests.image()), ("systemmap/map", Array(map.utf8)),
    ]
    for (number, form) in KallsymsTests.forms.enumerated() where number % 3 == 0 {
      var builder = form.builder
      builder.symbols = builder.symbols.enumerated().filter { $0.offset % 5 == 0 }.map(\.element)
      builder.padding = 16
      let width: UInt8 = form.is64 ? 0 : 1
      seeds.append(("kallsyms/form-\(number)", [width, 0, 0, 0, 0, 0, 0, 0] + builder.build()))
    }
    return seeds
  }

  @Test func seeds_areThoseThatTheBuildersMake() throws {
    for (path, bytes) in Self.made {
      let url = Self.folder.appendingPathComponent(path)
      if Self.isWriting { try Self.write(bytes, to: url) }
      let found = try? Data(contentsOf: url)
      #expect(found.map { Array($0) } == bytes, "\(path) differs")
    }
  }

  @Test(arguments: BzImageTests.formats)
  func compressedSeeds_areRead(format: BzImageTests.Format) throws {
    let name = "\(format.name)\(format.arguments.contains("-l") ? "-legacy" : "")"
    let kernel = SampleImages.executable().build()
    for (folder, isBz) in [("bzimage", true), ("image", false)] {
      let url = Self.folder.appendingPathComponent("\(folder)/\(name)")
      if Self.isWriting, let payload = try BzImageTests.compress(kernel, format) {
        try Self.write(isBz ? BzImageBuilder(payload: payload).build() : payload, to: url)
      }
      let image = try readImage(Array(Data(contentsOf: url)))
      #expect(image.format == (isBz ? .bzImage : .elf64))
      #expect(image.symbols.map(\.name) == ["first", "second", "label"])
    }
  }

  private static func write(_ bytes: [UInt8], to url: URL) throws {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }
}
