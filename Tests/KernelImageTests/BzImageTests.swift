// bzImages: each compression that Linux's build can choose, made by the host's own tools; and
// headers that lie.

import Testing

@testable import KernelImage

@Suite struct BzImageTests {
  /// A compressor and whether the kernel's build appends the unpacked size behind its output.
  struct Format: Sendable, CustomTestStringConvertible {
    var name: String
    var tool: String
    var arguments: [String]

    var testDescription: String { "\(name) by \(tool) \(arguments.joined(separator: " "))" }
  }

  static let formats = [
    Format(name: "gzip", tool: "gzip", arguments: ["-9c"]),
    Format(name: "xz", tool: "xz", arguments: ["-c", "--check=crc32", "--x86", "--lzma2"]),
    Format(name: "lzma", tool: "xz", arguments: ["-c", "--format=lzma"]),
    Format(name: "zstd", tool: "zstd", arguments: ["-c", "-19"]),
    Format(name: "lz4", tool: "lz4", arguments: ["-l", "-c"]),
    Format(name: "lz4", tool: "lz4", arguments: ["-c"]),
    Format(name: "bzip2", tool: "bzip2", arguments: ["-c"]),
  ]

  static func compress(_ bytes: [UInt8], _ format: Format) throws -> [UInt8]? {
    let tool = HostTool(name: format.tool, arguments: format.arguments)
    guard tool.path != nil else { return nil }
    let packed = try tool.run(on: bytes)
    return packed.isEmpty ? nil : packed
  }

  /// More than one decoder buffer of bytes, neither all equal nor random.
  static func kernel() -> [UInt8] {
    var builder = SampleImages.executable()
    var dice = Dice(5)
    builder.sections[1].bytes = (0..<9_000_000).map { UInt8($0 >> 10 & 0x7f) }
    for _ in 0..<100_000 { builder.sections[1].bytes[dice.roll(below: 9_000_000)] = 0x55 }
    return builder.build()
  }

  static let kernelBytes = kernel()

  @Test(arguments: formats)
  func payload_isUnpackedAndRead(format: Format) throws {
    guard var payload = try Self.compress(Self.kernelBytes, format) else {
      try Test.cancel("\(format.tool) is not on this machine")
    }
    // Linux's build appends the unpacked size where the format lacks it.
    payload += [0, 1, 2, 3]
    let image = try readImage(BzImageBuilder(payload: payload).build())
    #expect(image.format == .bzImage)
    #expect(image.width == .bits64)
    #expect(image.symbols.map(\.name) == ["first", "second", "label"])
    #expect(image.sections.map(\.bytes.count)[1] == 9_000_000)
    #expect(image.elfPath == nil)
    #expect(image.remarks.contains { $0.contains(format.name) })
  }

  @Test(arguments: formats)
  func wholeFile_isUnpackedAndRead(format: Format) throws {
    guard let bytes = try Self.compress(SampleImages.module().build(), format) else {
      try Test.cancel("\(format.tool) is not on this machine")
    }
    let image = try readImage(bytes)
    #expect(image.format == .elf64)
    #expect(image.isRelocatable)
  }

  @Test(arguments: formats)
  func bomb_stopsAtTheLimit(format: Format) throws {
    let zeros = [UInt8](repeating: 0, count: 12 << 20)
    guard let payload = try Self.compress(zeros, format) else {
      try Test.cancel("\(format.tool) is not on this machine")
    }
    let options = OpenOptions(unpackLimit: 1 << 20)
    #expect(readingError(payload, options: options)?.code == .tooLarge)
    let file = BzImageBuilder(payload: payload).build()
    #expect(readingError(file, options: options)?.code == .tooLarge)
  }

  @Test(.timeLimit(.minutes(1)), arguments: formats)
  func damagedPayload_neverTraps(format: Format) throws {
    let kernel = SampleImages.executable().build()
    guard let payload = try Self.compress(kernel, format) else {
      try Test.cancel("\(format.tool) is not on this machine")
    }
    var dice = Dice(9)
    let options = OpenOptions(unpackLimit: 1 << 20)
    for _ in 0..<200 {
      let damaged = damage(payload, within: 0..<payload.count, dice: &dice)
      let file = BzImageBuilder(payload: damaged).build()
      if let image = try? readImage(file, options: options) { _ = exercise(image) }
    }
    for count in stride(from: 8, to: payload.count - 8, by: 7) {
      let cut = BzImageBuilder(payload: Array(payload.prefix(count))).build()
      #expect(readingError(cut, options: options) != nil)
    }
  }

  @Test func payloadOutsideTheFile_isMalformed() {
    var builder = BzImageBuilder(payload: [0x1f, 0x8b, 8, 0])
    builder.statedSize = 0xffff_ffff
    #expect(readingError(builder.build())?.code == .malformed)
    builder.statedSize = 4
    builder.statedOffset = 0xffff_fffc
    #expect(readingError(builder.build())?.code == .malformed)
  }

  @Test func setupWithoutCodeBehind_isMalformed() {
    let file = BzImageBuilder(payload: []).build()
    #expect(readingError(Array(file.prefix(1024)))?.code == .malformed)
  }

  @Test func headerWithoutPayload_isBareCode() throws {
    var builder = BzImageBuilder(payload: SampleImages.code)
    builder.statedOffset = 0
    builder.statedSize = 0
    let image = try readImage(builder.build())
    #expect(image.format == .bzImage)
    #expect(image.width == .bits64)
    #expect(image.sections.map(\.name) == ["code", "setup"])
    #expect(image.sections.map(\.isExecutable) == [true, false])
    #expect(image.sections.first?.address == 0x10_0000)
    #expect(image.entries.map(\.width) == [.bits32])
    #expect(image.remarks.contains { $0.contains("bare code") })
    builder.loadFlags = 0
    #expect(try readImage(builder.build()).width == .bits32)
  }

  @Test func lzoPayload_isNamedInARemark() throws {
    let lzo: [UInt8] = [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a]
    let error = readingError(BzImageBuilder(payload: lzo).build())
    #expect(error?.code == .unsupported)
    #expect(error?.found.contains("lzo") == true)
  }
}
