// PE images, good and bad.

import Testing

@testable import KernelImage

@Suite struct PortableExecutableTests {
  @Test func pe32Plus_isReadAtItsImageBase() throws {
    let image = try readImage(PEBuilder().build())
    #expect(image.format == .pe)
    #expect(image.width == .bits64)
    #expect(image.sections.map(\.name) == [".text", ".data", ".reloc"])
    #expect(image.sections.map(\.address) == [0x1_4000_1000, 0x1_4000_2000, 0x1_4000_3000])
    #expect(image.sections.map(\.isExecutable) == [true, false, false])
    #expect(image.sections.map(\.isWritable) == [false, true, false])
    #expect(image.sections.map(\.isAllocated) == [true, true, false])
    #expect(image.sections[1].size == 0x800 && image.sections[1].bytes.count == 3)
    #expect(Array(image.sections[0].bytes.buffer) == SampleImages.code)
  }

  @Test func pe32_isReadAs32Bit() throws {
    var builder = PEBuilder()
    builder.is64 = false
    builder.machine = 0x14c
    builder.base = 0x40_0000
    let image = try readImage(builder.build())
    #expect(image.width == .bits32)
    #expect(image.sections.first?.address == 0x40_1000)
  }

  @Test func otherMachines_areUnsupported() {
    var builder = PEBuilder()
    builder.machine = 0xaa64
    let error = readingError(builder.build())
    #expect(error?.code == .unsupported)
    #expect(error?.found == "0xaa64")
  }

  @Test func headerOfTheOtherWidth_isMalformed() {
    var builder = PEBuilder()
    builder.machine = 0x14c
    #expect(readingError(builder.build())?.code == .malformed)
  }

  static func withSymbols() -> PEBuilder {
    var builder = PEBuilder()
    builder.symbols = [
      ("start", 1, 0, 0x20), ("a_name_of_more_than_eight", 1, 4, 0), ("table", 2, 1, 0),
      ("outside", 1, 0x1000, 0x20), ("absolute", -1, 4, 0), (".text", 1, 0, 0),
    ]
    return builder
  }

  @Test func coffSymbols_nameCodeAndData() throws {
    let image = try readImage(Self.withSymbols().build())
    #expect(image.symbols.map(\.name) == ["start", "a_name_of_more_than_eight", "table"])
    #expect(image.symbols.map(\.kind) == [.function, .other, .object])
    #expect(image.symbols.map(\.address) == [0x1_4000_1000, 0x1_4000_1004, 0x1_4000_2001])
    let place = ImageAddress(section: 0, address: 0x1_4000_1006)
    let match = SymbolIndex(image).function(at: place)
    #expect(match?.symbol.name == "a_name_of_more_than_eight" && match?.offset == 2)
  }

  @Test func coffSymbolsOutsideTheFile_areARemark() throws {
    var writer = ByteWriter(bytes: Self.withSymbols().build())
    writer.set(UInt32(0xffff_fff0), at: 0x40 + 12)
    let image = try readImage(writer.bytes)
    #expect(image.symbols.isEmpty)
    #expect(image.remarks.contains { $0.contains("COFF") })
  }

  @Test func everyTruncation_isAnError() {
    let whole = PEBuilder().build()
    for count in 0..<whole.count {
      #expect(readingError(Array(whole.prefix(count))) != nil)
    }
  }

  @Test func codeSectionsThatShareBytes_areRefused() {
    var builder = PEBuilder()
    let code = [UInt8](repeating: 0x90, count: 4096)
    builder.sections = (0..<20).map {
      .init(
        name: "s\($0)", address: 0x1000 * UInt32($0 + 1), bytes: $0 == 0 ? code : [],
        flags: 0x6000_0020)
    }
    var writer = ByteWriter(bytes: builder.build())
    let headers = 0x40 + 4 + 20 + 112
    let fields = writer.bytes[headers + 8..<headers + 24]
    for section in 1..<20 {
      let start = headers + section * 40 + 8
      writer.bytes.replaceSubrange(start..<start + 16, with: fields)
    }
    let error = readingError(writer.bytes)
    #expect(error?.code == .malformed)
    #expect(error?.expected.contains("overlap") == true)
  }

  @Test(.timeLimit(.minutes(1)))
  func damagedFiles_neverTrap() {
    var dice = Dice(77)
    let whole = Self.withSymbols().build()
    var errors = 0
    var images = 0
    for _ in 0..<3000 {
      do {
        let image = try readImage(damage(whole, within: 0x3c..<whole.count, dice: &dice))
        _ = exercise(image)
        images += 1
      } catch {
        errors += 1
      }
    }
    #expect(errors > 100 && images > 100)
  }
}
