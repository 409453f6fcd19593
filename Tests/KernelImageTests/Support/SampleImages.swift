// ELF files that several tests begin with.

enum SampleImages {
  /// `nop`, `cli`, `sti`, `ret`, twice, and some padding.
  static let code: [UInt8] = [
    0x90, 0xfa, 0xfb, 0xc3, 0x90, 0xfa, 0xfb, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
  ]
  static let base: UInt64 = 0xffff_ffff_8100_0000

  /// A kernel in small: code, data, a build id, symbols, a load segment.
  static func executable() -> ElfBuilder {
    var builder = ElfBuilder()
    builder.entry = 0x100_0000
    builder.sections = [
      .init(name: ".text", flags: ElfBuilder.code, address: base, bytes: code),
      .init(
        name: ".rodata", flags: ElfBuilder.allocated, address: base + 0x1000,
        bytes: Array("read only".utf8)),
      .init(name: ".bss", type: 8, flags: 3, address: base + 0x2000, size: 0x10_0000),
      .init(
        name: ".note.gnu.build-id", type: 7,
        bytes: ElfBuilder.note(owner: "GNU", type: 3, description: Array(0..<20))),
    ]
    builder.segments = [.init(address: base, physical: 0x100_0000, section: 1)]
    builder.add(symbols: [
      .init(name: "second", value: base + 4, size: 4),
      .init(name: "first", value: base, size: 4, info: 2),
      .init(name: "label", value: base + 8, info: 0x10),
      .init(name: "undefined", value: 0, section: 0),
      .init(name: "source.c", value: 0, info: 4, section: 0xfff1),
    ])
    return builder
  }

  /// The same for i386, with addresses that fit it.
  static func as32Bit(_ builder: ElfBuilder) -> ElfBuilder {
    var builder = builder
    builder.is64 = false
    builder.machine = 3
    let moved = base - 0x10_0000
    builder.sections.removeLast(2)
    for index in builder.sections.indices where builder.sections[index].address != 0 {
      builder.sections[index].address -= moved
    }
    for index in builder.segments.indices { builder.segments[index].address -= moved }
    builder.add(symbols: [
      .init(name: "first", value: 0x10_0000, size: 4, info: 2),
      .init(name: "second", value: 0x10_0004, size: 4),
      .init(name: "label", value: 0x10_0008, info: 0x10),
    ])
    return builder
  }

  /// A kernel module: two code sections and a table whose fields are relocated.
  static func module() -> ElfBuilder {
    var builder = ElfBuilder()
    builder.type = 1
    var relocations = ByteWriter()
    for (offset, symbol, addend) in [(UInt64(4), UInt64(1), Int64(3)), (0, 2, 2)] {
      relocations.put(offset)
      relocations.put(symbol << 32 | 2)
      relocations.put(addend)
    }
    builder.sections = [
      .init(name: ".text", flags: ElfBuilder.code, bytes: code),
      .init(name: ".init.text", flags: ElfBuilder.code, bytes: code),
      .init(
        name: ".altinstructions", flags: ElfBuilder.allocated,
        bytes: [UInt8](repeating: 0, count: 12)),
      .init(
        name: ".rela.altinstructions", type: 4, bytes: relocations.bytes, link: 5, info: 3,
        entrySize: 24),
    ]
    builder.add(symbols: [
      .init(name: "", value: 0, info: 3, section: 1),
      .init(name: "init_module", value: 4, size: 4, section: 2),
    ])
    return builder
  }

  /// A 32-bit relocatable file, whose relocations have no addends of their own.
  static func module32() -> ElfBuilder {
    var builder = ElfBuilder()
    builder.type = 1
    builder.is64 = false
    builder.machine = 3
    var relocations = ByteWriter()
    relocations.put(UInt32(4))
    relocations.put(UInt32(1 << 8 | 1))
    builder.sections = [
      .init(name: ".text", flags: ElfBuilder.code, bytes: code),
      .init(
        name: ".data", flags: 3, bytes: [0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]),
      .init(name: ".rel.data", type: 9, bytes: relocations.bytes, link: 4, info: 2, entrySize: 8),
    ]
    builder.add(symbols: [.init(name: "start", value: 3)])
    return builder
  }
}
