// Small PE images for the tests.

struct PEBuilder {
  struct Section {
    var name: String
    var address: UInt32
    var bytes: [UInt8]
    var flags: UInt32
    var virtualSize: UInt32?
  }

  var is64 = true
  var machine: UInt16 = 0x8664
  var base: UInt64 = 0x1_4000_0000
  var sections: [Section] = [
    .init(name: ".text", address: 0x1000, bytes: SampleImages.code, flags: 0x6000_0020),
    .init(
      name: ".data", address: 0x2000, bytes: [1, 2, 3], flags: 0xc000_0040, virtualSize: 0x800),
    .init(name: ".reloc", address: 0x3000, bytes: [0, 0, 0, 0], flags: 0x4200_0040),
  ]

  /// Names (up to eight letters, or longer), section numbers from 1, values and types.
  var symbols: [(name: String, section: Int16, value: UInt32, type: UInt16)] = []

  func build() -> [UInt8] {
    var file = ByteWriter()
    file.put([0x4d, 0x5a])
    file.pad(toCount: 0x3c)
    file.put(UInt32(0x40))
    file.put([0x50, 0x45, 0, 0])
    file.put(machine)
    file.put(UInt16(sections.count))
    file.pad(toCount: 0x40 + 20)
    let optionalSize = is64 ? 112 : 96
    file.put(UInt16(optionalSize))
    file.put(UInt16(0x22))
    let optional = file.count
    file.put(UInt16(is64 ? 0x20b : 0x10b))
    file.pad(toCount: optional + (is64 ? 24 : 28))
    file.putWord(base, is64: is64)
    file.pad(toCount: optional + optionalSize)
    var offset = (file.count + sections.count * 40 + 15) & ~15
    for section in sections {
      var name = Array(section.name.utf8)
      name += [UInt8](repeating: 0, count: 8 - name.count)
      file.put(name)
      file.put(section.virtualSize ?? UInt32(section.bytes.count))
      file.put(section.address)
      file.put(UInt32(section.bytes.count))
      file.put(UInt32(offset))
      file.pad(toCount: file.count + 12)
      file.put(section.flags)
      offset += section.bytes.count
    }
    file.pad(to: 16)
    for section in sections { file.put(section.bytes) }
    if !symbols.isEmpty { putSymbols(to: &file) }
    return file.bytes
  }

  private func putSymbols(to file: inout ByteWriter) {
    file.set(UInt32(file.count), at: 0x40 + 12)
    file.set(UInt32(symbols.count + 1), at: 0x40 + 16)
    var names = ByteWriter()
    for (index, symbol) in symbols.enumerated() {
      if symbol.name.utf8.count <= 8 {
        let padding = [UInt8](repeating: 0, count: 8 - symbol.name.utf8.count)
        file.put(Array(symbol.name.utf8) + padding)
      } else {
        file.put(UInt32(0))
        file.put(UInt32(names.count + 4))
        names.put(symbol.name)
      }
      file.put(symbol.value)
      file.put(symbol.section)
      file.put(symbol.type)
      file.put(UInt8(2))
      // The first one has an auxiliary entry, which is no symbol.
      file.put(UInt8(index == 0 ? 1 : 0))
      if index == 0 { file.put([UInt8](repeating: 0xff, count: 18)) }
    }
    file.put(UInt32(names.count + 4))
    file.put(names.bytes)
  }
}
