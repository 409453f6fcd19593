// ELF files that are as they should be: what the reader makes of each kind.

import Testing

@testable import KernelImage

@Suite struct ElfReaderTests {
  @Test func executable_isReadWithSectionsSymbolsAndBuildID() throws {
    let image = try readImage(SampleImages.executable().build())
    #expect(image.format == .elf64)
    #expect(image.width == .bits64)
    #expect(!image.isRelocatable)
    #expect(image.buildID == "000102030405060708090a0b0c0d0e0f10111213")
    let text = try #require(image.sections.first)
    #expect(text.name == ".text")
    #expect(text.address == 0xffff_ffff_8100_0000)
    #expect(text.isAllocated && text.isExecutable && !text.isWritable)
    #expect(Array(text.bytes.buffer) == SampleImages.code)
    let bss = try #require(image.sections.first { $0.name == ".bss" })
    #expect(bss.size == 0x10_0000 && bss.bytes.count == 0 && bss.isWritable)
    #expect(image.symbols.map(\.name) == ["first", "second", "label"])
    #expect(image.symbols.map(\.kind) == [.function, .function, .other])
    #expect(image.symbols.allSatisfy { $0.section == 0 })
    for (position, section) in image.sections.enumerated() {
      #expect(section.index == position)
    }
  }

  @Test func i386_isReadAs32Bit() throws {
    var builder = SampleImages.executable()
    builder = SampleImages.as32Bit(builder)
    let image = try readImage(builder.build())
    #expect(image.format == .elf32)
    #expect(image.width == .bits32)
    #expect(image.sections.first?.address == 0x10_0000)
    #expect(image.symbols.map(\.name) == ["first", "second", "label"])
  }

  @Test func x32_holds64BitCode() throws {
    var builder = SampleImages.as32Bit(SampleImages.executable())
    builder.machine = 62
    #expect(try readImage(builder.build()).width == .bits64)
  }

  @Test func withoutSectionTable_segmentsAreSections() throws {
    var builder = ElfBuilder()
    builder.hasSectionTable = false
    builder.segments = [
      .init(address: 0x1000, physical: 0, bytes: SampleImages.code),
      .init(flags: 6, address: 0x4000, physical: 0, bytes: [1, 2], memorySize: 100),
    ]
    let image = try readImage(builder.build())
    #expect(image.sections.map(\.name) == ["segment 0", "segment 1"])
    #expect(image.sections.map(\.isExecutable) == [true, false])
    #expect(image.sections.map(\.isWritable) == [false, true])
    #expect(image.sections.map(\.size) == [UInt64(SampleImages.code.count), 100])
    #expect(image.sections.last?.bytes.count == 2)
    #expect(image.remarks.contains { $0.contains("no section table") })
  }

  @Test func pvhNote_givesA32BitEntryAtItsVirtualAddress() throws {
    var builder = SampleImages.executable()
    builder.sections.append(
      .init(
        name: ".note.Xen", type: 7,
        bytes: ElfBuilder.note(owner: "Xen", type: 18, description: [4, 0, 0, 1, 0, 0, 0, 0])))
    let image = try readImage(builder.build())
    let entry = try #require(image.entries.first)
    #expect(entry.address == 0xffff_ffff_8100_0004)
    #expect(entry.width == .bits32)
    #expect(entry.origin == "PVH entry note")
  }

  @Test func pvhNote_outsideEverySection_isARemark() throws {
    var builder = SampleImages.executable()
    builder.sections.append(
      .init(
        name: ".note.Xen", type: 7,
        bytes: ElfBuilder.note(owner: "Xen", type: 18, description: [0, 0, 0, 0x70])))
    let image = try readImage(builder.build())
    #expect(image.entries.isEmpty)
    #expect(image.remarks.contains { $0.contains("0x70000000") })
  }

  @Test func multibootHeader_givesA32BitEntry() throws {
    var builder = SampleImages.executable()
    builder.entry = 0x100_0008
    var header = ByteWriter()
    header.put(UInt32(0x1bad_b002))
    header.put(UInt32(3))
    header.put(0 &- UInt32(0x1bad_b002) &- UInt32(3))
    builder.sections[0].bytes = SampleImages.code + header.bytes
    let image = try readImage(builder.build())
    #expect(image.entries.map(\.origin) == ["multiboot header"])
    #expect(image.entries.map(\.address) == [0xffff_ffff_8100_0008])
  }

  @Test func multiboot2Header_givesTheEntryOfItsTag() throws {
    var header = ByteWriter()
    let size: UInt32 = 16 + 16 + 8
    header.put(UInt32(0xe852_50d6))
    header.put(UInt32(0))
    header.put(size)
    header.put(0 &- UInt32(0xe852_50d6) &- size)
    header.put(UInt16(3))
    header.put(UInt16(0))
    header.put(UInt32(12))
    header.put(UInt32(0x100_000c))
    header.pad(to: 8)
    header.put(UInt64(0x8_0000_0000))
    var builder = SampleImages.executable()
    builder.sections[0].bytes = SampleImages.code + header.bytes
    let image = try readImage(builder.build())
    #expect(image.entries.map(\.origin) == ["multiboot 2 header"])
    #expect(image.entries.map(\.address) == [0xffff_ffff_8100_000c])
  }

  @Test func relocatable_hasAddressesRelativeToSections() throws {
    let image = try readImage(SampleImages.module().build())
    #expect(image.isRelocatable)
    #expect(image.sections.allSatisfy { $0.address == 0 })
    #expect(image.entries.isEmpty)
    let init0 = try #require(image.symbols.first { $0.name == "init_module" })
    #expect(init0.section == 1 && init0.address == 4)
  }

  @Test func relocations_sayWhereATablePoints() throws {
    let image = try readImage(SampleImages.module().build())
    let table = try #require(image.sections.first { $0.name == ".altinstructions" })
    let targets = image.relocationTargets(section: table.index)
    #expect(targets.map(\.offset) == [0, 4])
    #expect(targets.map(\.targetSection) == [1, 0])
    #expect(targets.map(\.targetOffset) == [6, 3])
    #expect(targets.map(\.type) == [2, 2])
    #expect(targets.map(\.symbol) == ["init_module", ".text"])
  }

  @Test func relocationsWithoutAddends_takeThemFromTheSection() throws {
    let image = try readImage(SampleImages.module32().build())
    let targets = image.relocationTargets(section: 1)
    #expect(targets.map(\.offset) == [4])
    #expect(targets.map(\.addend) == [-2])
    #expect(targets.map(\.targetOffset) == [1])
    #expect(targets.map(\.targetSection) == [0])
  }

  @Test func debugFile_givesSymbolsAndMustMatch() throws {
    try withTemporaryFile(SampleImages.executable().build()) { debugFile in
      var stripped = SampleImages.executable()
      stripped.sections.removeLast(2)
      let options = OpenOptions(debugFile: debugFile)
      let image = try readImage(stripped.build(), options: options)
      #expect(image.symbols.map(\.name) == ["first", "second", "label"])
      #expect(image.elfPath == debugFile)
      let note = try #require(stripped.sections.firstIndex { $0.type == 7 })
      stripped.sections[note].bytes[20] ^= 1
      let error = try #require(readingError(stripped.build(), options: options))
      #expect(error.code == .unsupported)
      #expect(error.found.contains("000102"))
    }
  }
}
