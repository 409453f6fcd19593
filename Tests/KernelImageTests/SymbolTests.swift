// From addresses to names: the index, System.map, sorting.

import Testing

@testable import KernelImage

@Suite struct SymbolTests {
  static func image(_ symbols: [ImageSymbol]) -> KernelImage {
    let section = ImageSection(
      index: 0, name: ".text", address: 0x1000, size: 0x1000, isAllocated: true,
      isExecutable: true, isWritable: false, bytes: .empty)
    return KernelImage(
      path: "made-up", format: .elf64, width: .bits64, isRelocatable: false, buildID: nil,
      sections: [section], symbols: symbols, entries: [], elfPath: nil, remarks: [])
  }

  static func symbol(
    _ name: String, _ address: UInt64, _ size: UInt64 = 0,
    kind: ImageSymbol.Kind = .function, isGlobal: Bool = false
  ) -> ImageSymbol {
    var symbol = ImageSymbol(name: name, address: address, size: size, kind: kind, section: 0)
    symbol.isGlobal = isGlobal
    return symbol
  }

  static func name(_ address: UInt64, in image: KernelImage) -> String? {
    let match = SymbolIndex(image).function(at: ImageAddress(section: 0, address: address))
    return match.map { "\($0.symbol.name)+\($0.offset)" }
  }

  @Test func sizedSymbol_coversItsBytes() {
    let image = Self.image([Self.symbol("a", 0x1000, 16), Self.symbol("b", 0x1020, 16)])
    #expect(Self.name(0x1000, in: image) == "a+0")
    #expect(Self.name(0x100f, in: image) == "a+15")
    #expect(Self.name(0x1025, in: image) == "b+5")
  }

  @Test func behindASizedSymbol_theNearestBeforeIsTaken() {
    let image = Self.image([Self.symbol("a", 0x1000, 16), Self.symbol("b", 0x1020, 16)])
    #expect(Self.name(0x1018, in: image) == "a+24")
    #expect(Self.name(0xfff, in: image) == nil)
  }

  @Test func innerLabelWithoutSize_doesNotHideTheFunction() {
    let image = Self.image([
      Self.symbol("outer", 0x1000, 64), Self.symbol("label", 0x1010, kind: .other),
    ])
    #expect(Self.name(0x1018, in: image) == "outer+24")
    #expect(Self.name(0x1050, in: image) == "label+64")
  }

  @Test func innermostOfNestedSymbols_wins() {
    let image = Self.image([
      Self.symbol("outer", 0x1000, 0x100), Self.symbol("inner", 0x1010, 0x10),
      Self.symbol("later", 0x1030, 0x10),
    ])
    #expect(Self.name(0x1018, in: image) == "inner+8")
    #expect(Self.name(0x1028, in: image) == "outer+40")
    #expect(Self.name(0x1080, in: image) == "outer+128")
  }

  @Test func atOneAddress_functionThenSizeThenGlobalThenName() {
    let other = Self.symbol("a_label", 0x1000, 8, kind: .other, isGlobal: true)
    let unsized = Self.symbol("b_unsized", 0x1000, isGlobal: true)
    let local = Self.symbol("c_local", 0x1000, 8)
    let global = Self.symbol("d_global", 0x1000, 8, isGlobal: true)
    let second = Self.symbol("e_global", 0x1000, 8, isGlobal: true)
    let data = Self.symbol("f_data", 0x1000, 8, kind: .object, isGlobal: true)
    #expect(Self.name(0x1004, in: Self.image([data])) == nil)
    #expect(Self.name(0x1004, in: Self.image([other, unsized])) == "a_label+4")
    #expect(Self.name(0x1004, in: Self.image([other, unsized, local])) == "c_local+4")
    let all = [second, data, global, local, unsized, other]
    #expect(Self.name(0x1004, in: Self.image(all)) == "d_global+4")
    #expect(Self.name(0x1010, in: Self.image(all)) == "d_global+16")
  }

  @Test func functionStarts_areAscendingAndUnique() {
    let image = Self.image([
      Self.symbol("c", 0x1040), Self.symbol("a", 0x1000, 4), Self.symbol("b", 0x1000),
      Self.symbol("data", 0x1020, kind: .object),
    ])
    #expect(SymbolIndex(image).functionStarts(section: 0) == [0x1000, 0x1040])
    #expect(SymbolIndex(image).functionStarts(section: 1) == [])
  }

  @Test func deepNesting_isBounded() {
    var symbols = [Self.symbol("outer", 0x1000, 0x1000)]
    for number in 0..<500 {
      symbols.append(Self.symbol("n\(number)", 0x1001 + UInt64(number), 1))
    }
    // Too many lie between: the nearest before is the answer, and it comes at once.
    #expect(Self.name(0x1f00, in: Self.image(symbols)) == "n499+\(0xf00 - 500)")
  }

  @Test func symbols_areSortedBySectionAddressAndName() {
    var nowhere = Self.symbol("nowhere", 1)
    nowhere.section = nil
    let image = Self.image([
      nowhere, Self.symbol("z", 0x1000), Self.symbol("b", 0x1004), Self.symbol("a", 0x1000),
    ])
    #expect(image.symbols.map(\.name) == ["a", "z", "b", "nowhere"])
    let ties = Self.image([
      Self.symbol("z", 0x1000), Self.symbol("a", 0x1000), Self.symbol("b", 0x1004),
    ])
    #expect(ties.symbols.map(\.name) == ["a", "z", "b"])
  }

  @Test func systemMap_namesAStrippedImage() throws {
    var builder = SampleImages.executable()
    builder.sections.removeLast(2)
    let map = """
      ffffffff81000000 T _text
      ffffffff81000004 t second\t[module]
      ffffffff81001000 R table
                       U elsewhere

      """
    try withTemporaryFile(map.utf8.filter { _ in true }) { path in
      // A line without an address is not of the form.
      #expect(
        readingError(builder.build(), options: OpenOptions(systemMap: path))?.code == .malformed)
    }
    let good = map.split(separator: "\n").prefix(3).joined(separator: "\n")
    try withTemporaryFile(good.utf8) { path in
      let image = try readImage(builder.build(), options: OpenOptions(systemMap: path))
      #expect(image.symbols.map(\.name) == ["_text", "second", "table"])
      #expect(image.symbols.map(\.section) == [0, 0, 1])
      #expect(image.symbols.map(\.kind) == [.function, .function, .object])
      #expect(image.symbols.map(\.isGlobal) == [true, false, true])
      let named = try readImage(
        SampleImages.executable().build(), options: OpenOptions(systemMap: path))
      #expect(named.symbols.map(\.name) == ["first", "second", "label"])
    }
  }

  @Test func damagedMaps_neverTrap() throws {
    let map = Array("ffffffff81000000 T _text\nffffffff81000004 t second\n".utf8)
    var dice = Dice(3)
    for _ in 0..<2000 {
      let damaged = ImageBytes(copying: damage(map, within: 0..<map.count, dice: &dice))
      let symbols = try? SystemMap.read(damaged, path: "map", sections: [])
      #expect((symbols?.count ?? 0) <= 3)
    }
  }
}
