// ELF files that lie. Each must end in an error or an image, quickly, with every byte that the
// image hands out inside the file.

import Testing

@testable import KernelImage

@Suite struct ElfHostileTests {
  @Test func everyTruncation_isAnErrorOrAnImage() {
    for builder in [SampleImages.executable(), SampleImages.module(), SampleImages.module32()] {
      let whole = builder.build()
      for count in 0..<whole.count {
        // The section table ends the file, so every cut is noticed.
        #expect(readingError(Array(whole.prefix(count))) != nil)
      }
      #expect(readingError(whole) == nil)
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3, 4, 5] as [UInt64])
  func damagedFiles_neverTrap(seed: UInt64) {
    var dice = Dice(seed)
    var errors = 0
    var images = 0
    let builders = [
      SampleImages.executable(), SampleImages.module(), SampleImages.module32(),
      SampleImages.as32Bit(SampleImages.executable()),
    ]
    for builder in builders {
      let whole = builder.build()
      for _ in 0..<500 {
        let damaged = damage(whole, within: 4..<whole.count, dice: &dice)
        do {
          let image = try readImage(damaged)
          _ = exercise(image)
          images += 1
        } catch {
          #expect(!error.expected.isEmpty && !error.found.isEmpty)
          errors += 1
        }
      }
    }
    #expect(errors > 100 && images > 100)
  }

  @Test(arguments: [
    Lie(4, [3], .malformed), Lie(5, [2], .unsupported), Lie(5, [9], .malformed),
    Lie(6, [2], .malformed), Lie(16, [4, 0], .unsupported), Lie(18, [0xb7, 0], .unsupported),
    Lie(18, [3, 0], .malformed), Lie(40, [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], .malformed),
    Lie(40, [0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], .malformed),
    Lie(32, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], .malformed),
    Lie(54, [1, 0], .malformed), Lie(56, [0xfe, 0xff], .malformed), Lie(58, [0, 1], .malformed),
    Lie(60, [0xff, 0xff], .malformed), Lie(62, [0xf0, 0], .malformed),
  ])
  func aLieInTheHeader_isNamed(lie: Lie) {
    var bytes = SampleImages.executable().build()
    bytes.replaceSubrange(lie.offset..<lie.offset + lie.bytes.count, with: lie.bytes)
    #expect(readingError(bytes)?.code == lie.code)
  }

  /// Bytes to put into the header, and what must come of it.
  struct Lie: Sendable, CustomTestStringConvertible {
    var offset: Int
    var bytes: [UInt8]
    var code: ImageError.Code

    init(_ offset: Int, _ bytes: [UInt8], _ code: ImageError.Code) {
      self.offset = offset
      self.bytes = bytes
      self.code = code
    }

    var testDescription: String { "\(offset): \(bytes)" }
  }

  @Test func extendedSectionCount_isNotBelieved() {
    // A count of 0 with a table means that the count stands in the first section's size.
    var writer = ByteWriter(bytes: SampleImages.executable().build())
    let table = writer.bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    writer.set(UInt16(0), at: 60)
    for count: UInt64 in [0xffff_ffff, .max, 1 << 40, 1 << 17] {
      writer.set(count, at: table + 32)
      #expect(readingError(writer.bytes)?.code == .malformed)
    }
  }

  @Test func codeSectionsThatShareBytes_areRefused() {
    var builder = SampleImages.executable()
    builder.sections[0].bytes = [UInt8](repeating: 0x90, count: 4096)
    for number in 1...9 {
      builder.sections.append(
        .init(name: ".text\(number)", flags: ElfBuilder.code, bytes: []))
    }
    var writer = ByteWriter(bytes: builder.build())
    let table = writer.bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    let first = writer.bytes[table + 64 + 24..<table + 64 + 40]
    for section in 7...15 {
      writer.bytes.replaceSubrange(
        table + section * 64 + 24..<table + section * 64 + 40, with: first)
    }
    let error = readingError(writer.bytes)
    #expect(error?.code == .malformed)
    #expect(error?.expected.contains("overlap") == true)
  }

  @Test func symbolsThatAllNameOneLongString_areRefused() {
    var builder = SampleImages.executable()
    builder.sections.removeLast(2)
    let long = String(repeating: "n", count: 4000)
    builder.add(symbols: (0..<2000).map { .init(name: $0 == 0 ? long : "", value: UInt64($0)) })
    let table = builder.sections.count - 2
    for symbol in 1...2000 {
      builder.sections[table].bytes.replaceSubrange(
        symbol * 24..<symbol * 24 + 4, with: [1, 0, 0, 0])
    }
    #expect(readingError(builder.build())?.code == .malformed)
  }

  @Test func sectionsOutsideTheAddressSpace_areRefused() {
    var builder = SampleImages.executable()
    builder.sections[0].address = .max - 4
    #expect(readingError(builder.build())?.code == .malformed)
    builder.sections[0].address = .max - UInt64(SampleImages.code.count) + 1
    #expect(readingError(builder.build()) == nil)
  }

  @Test func headerOfSectionZero_isNotASymbolTable() throws {
    // Section 0 is no section, whatever its header says: here, a table of 4 GB.
    var writer = ByteWriter(bytes: SampleImages.executable().build())
    let table = writer.bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    writer.set(UInt32(2), at: table + 4)
    writer.set(UInt64(0xffff_ffff), at: table + 32)
    #expect(try readImage(writer.bytes).symbols.map(\.name) == ["first", "second", "label"])
  }

  @Test func relocationTablesThatShareBytes_areReadOnce() throws {
    var builder = SampleImages.module()
    for _ in 0..<50 { builder.sections.append(builder.sections[3]) }
    var writer = ByteWriter(bytes: builder.build())
    let table = writer.bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    // All of them name one range that is most of the file.
    for section in [4] + Array(7..<57) {
      writer.set(UInt64(0), at: table + section * 64 + 24)
      writer.set(UInt64(writer.count), at: table + section * 64 + 32)
    }
    let image = try readImage(writer.bytes)
    let targets = image.relocationTargets(section: 2)
    #expect(targets.count <= writer.count / 24)
  }
}
