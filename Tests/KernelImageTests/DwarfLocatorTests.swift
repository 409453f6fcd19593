// Programs compiled on the spot, in each form that debugging information comes in, held to
// llvm-symbolizer's answer for every byte of their code.

import Foundation
import Testing

@testable import KernelImage

@Suite(.enabled(if: DwarfToolchain.isAvailable, "needs clang, ld.lld and LLVM's tools"))
struct DwarfLocatorTests {
  private static let base: UInt64 = 0x40_1000

  /// One way to compile and pack a program.
  struct Form: CustomTestStringConvertible, Sendable {
    var name: String
    var flags: [String]
    /// Arguments for llvm-objcopy.
    var packing: [String] = []
    var testDescription: String { name }
  }

  static let forms = [
    Form(name: "version 4", flags: ["-gdwarf-4"]),
    Form(name: "version 5", flags: ["-gdwarf-5"]),
    Form(name: "version 2", flags: ["-gdwarf-2"]),
    Form(name: "address table", flags: ["-gdwarf-5", "-gdwarf-aranges"]),
    Form(name: "32-bit code", flags: ["-gdwarf-5", "-m32"]),
    Form(name: "64-bit DWARF", flags: ["-gdwarf-5", "-gdwarf64"]),
    Form(name: "function sections, version 4", flags: ["-gdwarf-4", "-ffunction-sections"]),
    Form(name: "function sections, version 5", flags: ["-gdwarf-5", "-ffunction-sections"]),
    Form(name: "lines only", flags: ["-gdwarf-5", "-gline-tables-only"]),
    Form(
      name: "zlib", flags: ["-gdwarf-5"], packing: ["--compress-debug-sections=zlib"]),
    Form(
      name: "zlib, 32-bit", flags: ["-gdwarf-4", "-m32"],
      packing: ["--compress-debug-sections=zlib"]),
  ]

  @Test(arguments: forms)
  func `each address equals the reference`(form: Form) throws {
    let tools = try DwarfToolchain()
    try tools.build("program", form.flags)
    if !form.packing.isEmpty {
      try tools.run("llvm-objcopy", form.packing + ["program"])
    }
    let addresses = (0..<0x200).map { Self.base + $0 }
    let locator = try SourceLocator(elfPath: tools.path("program"))
    #expect(locator.hasDebugInfo)
    let located = try locator.locateDetailed(addresses, jobs: 2)
    let ours = Dictionary(uniqueKeysWithValues: zip(addresses, located))
    let reference = try tools.reference(for: addresses, in: tools.path("program"))
    #expect(reference.count == addresses.count)
    #expect(reference.values.contains { $0.count == 3 }, "no inlined frames to compare")
    #expect(differences(ours, reference) == [])
  }

  @Test func `zstd sections are unpacked`() throws {
    let text = Array("debugging information".utf8)
    // ELF's compression header, then a zstd frame of one block that is stored as it is.
    let header: [UInt8] = [2, 0, 0, 0, UInt8(text.count), 0, 0, 0, 1, 0, 0, 0]
    let block = UInt32(text.count) << 3 | 1
    let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, UInt8(text.count)]
    let bytes = header + frame + (0..<3).map { UInt8(truncatingIfNeeded: block >> ($0 * 8)) } + text
    try bytes.withUnsafeBytes { stored in
      let packed = try #require(
        try DwarfCompression(
          stored, isMarked: true, isNamed: false, is64: false, name: ".debug_str", path: "x"))
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
      defer { buffer.deallocate() }
      #expect(packed.unpack(into: buffer))
      #expect(Array(buffer) == text)
    }
  }

  @Test func `a relocatable file tells its sections apart`() throws {
    let tools = try DwarfToolchain()
    try tools.build("program", ["-gdwarf-5"])
    let names = try DwarfElf(path: tools.path("program.o")).sections.map(\.name)
    let text = try #require(names.firstIndex(of: ".text"))
    let initText = try #require(names.firstIndex(of: ".init.text"))
    // The linker puts .text at the base, so offsets there have a reference in the linked program.
    let offsets = (0..<UInt64(0x60)).map { $0 }
    let reference = try tools.reference(
      for: offsets.map { Self.base + $0 }, in: tools.path("program"))
    for sectionNames in [[], names] {
      let locator = try SourceLocator(
        elfPath: tools.path("program.o"), sectionNames: sectionNames)
      let addresses = locator.laidOut(offsets.map { ImageAddress(section: text, address: $0) })
      let located = try locator.locateDetailed(addresses, jobs: 1)
      let ours = Dictionary(uniqueKeysWithValues: zip(offsets.map { Self.base + $0 }, located))
      #expect(differences(ours, reference) == [])
      let first = try locator.locate([ImageAddress(section: initText, address: 0)])
      #expect(first[0].frames.last?.function == "start")
    }
  }

  @Test func `a packed relocatable file is relocated after unpacking`() throws {
    let tools = try DwarfToolchain()
    try tools.build("program", ["-gdwarf-4", "-m32", "-gz"])
    let names = try DwarfElf(path: tools.path("program.o")).sections.map(\.name)
    let section = try #require(names.firstIndex(of: ".init.text"))
    let locator = try SourceLocator(elfPath: tools.path("program.o"))
    let location = try locator.locate([ImageAddress(section: section, address: 0)])[0]
    #expect(location.frames.last?.function == "start")
    #expect(location.frames.last?.file == "ports.c")
  }

  @Test func `paths are relative to the source tree`() throws {
    let tools = try DwarfToolchain()
    try tools.build("program", ["-gdwarf-5"])
    let locations = try SourceLocator(elfPath: tools.path("program"))
      .locate((0..<0x100).map { Self.base + $0 })
    let files = Set(locations.flatMap(\.frames).compactMap(\.file))
    #expect(files == ["ports.c", "include/asm/ports.h"])
  }

  @Test func `one job and several give the same answer in the order of the addresses`() throws {
    let tools = try DwarfToolchain()
    try tools.build("program", ["-gdwarf-5"])
    let locator = try SourceLocator(elfPath: tools.path("program"))
    let addresses = (0..<0x200).map { Self.base + ($0 * 37) % 0x200 } + [0, .max, Self.base]
    let one = try locator.locate(addresses, jobs: 1)
    #expect(one == (try locator.locate(addresses, jobs: 7)))
    #expect(one[0] == one[addresses.count - 1])
    #expect(one[addresses.count - 2].frames.isEmpty)
  }
}
