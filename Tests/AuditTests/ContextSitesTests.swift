// The smaller tables, the sections that come and go, and the forced-emulation prefix.

import KernelImage
import Testing

@testable import Audit

@Suite struct ContextSitesTests {
  private func contexts(_ tested: ImageContext, _ offset: UInt64, length: Int = 1)
    -> [FindingContext]
  {
    tested.contexts(sectionIndex: 0, address: Base.text + offset, length: length)
  }

  @Test func paravirtSites_ofBothWidths() {
    var wide = TableWriter()
    wide.integer(Base.text + 0x20)
    wide.integer(UInt8(0x2d))
    wide.integer(UInt8(6))
    wide.bytes += [UInt8](repeating: 0, count: 6)
    let tested = ImageContext(image: makeImage(table: ".parainstructions", wide.bytes))
    #expect(tested.counts.paravirtSites == 1)
    #expect(contexts(tested, 0x25) == [.paravirtSite])
    #expect(contexts(tested, 0x26).isEmpty)

    let narrow: [UInt8] = [0x20, 0, 0, 0x01, 0x2d, 6, 0, 0]
    let image = makeImage(
      [
        SectionSpec(
          name: ".text", address: 0x100_0000, bytes: [UInt8](repeating: 0x90, count: 64),
          isExecutable: true),
        SectionSpec(name: ".parainstructions", address: 0x200_0000, bytes: narrow),
      ], width: .bits32)
    let small = ImageContext(image: image)
    #expect(small.counts.paravirtSites == 1)
    #expect(
      small.contexts(sectionIndex: 0, address: 0x100_0020, length: 1) == [.paravirtSite])
  }

  @Test func replacement_ofAParavirtSiteCountsAsOne() {
    var alternatives = TableWriter()
    var paravirt = TableWriter()
    for offset: UInt64 in [0x20, 0x40] {
      alternatives.relative32(to: Base.text + offset)
      alternatives.relative32(to: Base.replacement + offset)
      alternatives.integer(CPUFeature.xenPV | 0x8000)
      alternatives.integer(UInt8(6))
      alternatives.integer(UInt8(1))
    }
    paravirt.integer(Base.text + 0x20)
    paravirt.integer(UInt16(0x0601))
    paravirt.bytes += [UInt8](repeating: 0, count: 6)
    let code = [UInt8](repeating: 0x90, count: 0x100)
    let tested = ImageContext(
      image: makeImage([
        SectionSpec(name: ".text", address: Base.text, bytes: code, isExecutable: true),
        SectionSpec(
          name: ".altinstr_replacement", address: Base.replacement, bytes: code,
          isExecutable: true),
        SectionSpec(name: ".altinstructions", address: Base.table, bytes: alternatives.bytes),
        SectionSpec(name: ".parainstructions", address: Base.data, bytes: paravirt.bytes),
      ]))
    func at(_ offset: UInt64) -> [FindingContext] {
      tested.contexts(sectionIndex: 1, address: Base.replacement + offset, length: 1)
    }
    #expect(at(0x20) == [.alternative, .paravirtSite])
    #expect(at(0x40) == [.alternative])
    #expect(contexts(tested, 0x20) == [.alternativeOriginal, .paravirtSite])
  }

  /// What stands in the third word of an entry.
  enum ThirdWord: CaseIterable {
    case none
    case kind
    case handler
  }

  @Test(arguments: ThirdWord.allCases, [5, 6, 24])
  func exceptionTable_marksTheInstructionOnly(third: ThirdWord, count: Int) {
    var writer = TableWriter()
    for index in 0..<count {
      writer.relative32(to: Base.text + 0x10 + UInt64(index) * 4)
      writer.relative32(to: Base.text + 0x800 + UInt64(index) * 8)
      switch third {
      case .none: break
      case .kind: writer.integer(Int32(index))
      case .handler: writer.relative32(to: Base.text + 0xf00 + UInt64(index % 2))
      }
    }
    let tested = ImageContext(image: makeImage(table: "__ex_table", writer.bytes))
    #expect(tested.counts.exceptions == count)
    #expect(tested.remarks.isEmpty)
    #expect(contexts(tested, 0x14) == [.exceptionTable])
    #expect(contexts(tested, 0x13, length: 3).isEmpty)
    #expect(contexts(tested, 0x15).isEmpty)
    #expect(contexts(tested, 0x808).isEmpty, "a fixup is no site")
  }

  @Test(arguments: [true, false])
  func jumpLabels_relativeAndAbsolute(isRelative: Bool) {
    var text = [UInt8](repeating: 0x0f, count: 0x1000)
    text[0x40] = 0xeb
    var writer = TableWriter()
    for offset: UInt64 in [0x40, 0x80] {
      if isRelative {
        writer.relative32(to: Base.text + offset)
        writer.relative32(to: Base.text + 0x100)
        writer.relative64(to: Base.data + 8)
      } else {
        writer.integer(Base.text + offset)
        writer.integer(Base.text + 0x100)
        writer.integer(Base.data + 8)
      }
    }
    let tested = ImageContext(image: makeImage(table: "__jump_table", writer.bytes, text: text))
    #expect(tested.counts.jumpLabels == 2)
    #expect(contexts(tested, 0x41) == [.jumpLabel])
    #expect(contexts(tested, 0x42).isEmpty, "a short jump has two bytes")
    #expect(contexts(tested, 0x84) == [.jumpLabel])
    #expect(contexts(tested, 0x85).isEmpty)
  }

  @Test func staticCalls_haveFiveBytesOrSix() {
    var text = [UInt8](repeating: 0xe8, count: 0x1000)
    text[0x80] = 0x0f
    var writer = TableWriter()
    for offset: UInt64 in [0x40, 0x80] {
      writer.relative32(to: Base.text + offset)
      writer.relative32(to: Base.data + 8)
    }
    let image = makeImage(table: ".static_call_sites", writer.bytes, text: text)
    let tested = ImageContext(image: image)
    #expect(tested.counts.staticCalls == 2)
    #expect(contexts(tested, 0x44) == [.staticCall])
    #expect(contexts(tested, 0x45).isEmpty)
    #expect(contexts(tested, 0x85) == [.staticCall])
  }

  @Test func tables_betweenSymbolsAreReadLikeSections() {
    var writer = TableWriter()
    writer.address = Base.data + 0x100
    for index in 0..<4 {
      writer.relative32(to: Base.text + UInt64(index) * 8)
      writer.relative32(to: Base.text + 0x800)
      writer.integer(Int32(0))
    }
    var data = [UInt8](repeating: 0xee, count: 0x200)
    data.replaceSubrange(0x100..<(0x100 + writer.bytes.count), with: writer.bytes)
    func symbol(_ name: String, _ offset: Int) -> ImageSymbol {
      ImageSymbol(
        name: name, address: Base.data + UInt64(offset), size: 0, kind: .object, section: 1)
    }
    func count(_ symbols: [ImageSymbol]) -> Int {
      ImageContext(
        image: makeImage(
          [
            SectionSpec(
              name: ".text", address: Base.text, bytes: [UInt8](repeating: 0x90, count: 0x1000),
              isExecutable: true),
            SectionSpec(name: ".rodata", address: Base.data, bytes: data),
          ], symbols: symbols)
      ).counts.exceptions
    }
    let end = 0x100 + writer.bytes.count
    #expect(count([symbol("__start___ex_table", 0x100), symbol("__stop___ex_table", end)]) == 4)
    #expect(count([symbol("__start___ex_table", 0x100)]) == 0)
    #expect(count([symbol("__start___ex_table", end), symbol("__stop___ex_table", 0x100)]) == 0)
    #expect(
      count([symbol("__start___ex_table", 0x100), symbol("__stop___ex_table", 0x9999)]) == 0)
  }

  @Test func tables_ofAStrippedImageAreFoundByTheirShape() {
    var text = [UInt8](repeating: 0x90, count: 0x1000)
    var writer = TableWriter()
    writer.address = Base.data + 0x208
    for index in 0..<20 {
      let place = 0x100 + index * 16
      text.replaceSubrange(place..<(place + 5), with: [0x0f, 0x1f, 0x44, 0, 0])
      writer.relative32(to: Base.text + UInt64(place))
      writer.relative32(to: Base.text + 0x800)
      writer.relative64(to: Base.data)
    }
    var data = [UInt8](repeating: 0xee, count: 0x800)
    data.replaceSubrange(0x208..<(0x208 + writer.bytes.count), with: writer.bytes)
    let tested = ImageContext(
      image: makeImage([
        SectionSpec(name: ".text", address: Base.text, bytes: text, isExecutable: true),
        SectionSpec(name: ".rodata", address: Base.data, bytes: data),
      ]))
    #expect(tested.counts.jumpLabels == 20)
    #expect(tested.counts.staticCalls == 0)
    #expect(contexts(tested, 0x100) == [.jumpLabel])
  }

  @Test func sections_sayWhatComesAndGoes() {
    let code = [UInt8](repeating: 0x90, count: 16)
    let names = [".init.text", ".exit.text", ".head.text", ".initcall_table", ".text"]
    let tested = ImageContext(
      image: makeImage(
        names.enumerated().map {
          SectionSpec(
            name: $1, address: UInt64($0) << 12, bytes: code, isExecutable: true)
        } + [SectionSpec(name: ".init.data", address: 0x9000, bytes: code)],
        symbols: [
          ImageSymbol(name: "_sinittext", address: 0x4004, size: 0, kind: .other, section: 4),
          ImageSymbol(name: "_einittext", address: 0x4008, size: 0, kind: .other, section: 4),
        ]))
    func at(_ section: Int, _ address: UInt64) -> [FindingContext] {
      tested.contexts(sectionIndex: section, address: address, length: 1)
    }
    #expect(at(0, 0) == [.initCode])
    #expect(at(1, 0x1000) == [.exitCode])
    #expect(at(2, 0x2000).isEmpty)
    #expect(at(3, 0x3000).isEmpty)
    #expect(at(4, 0x4000).isEmpty)
    #expect(at(4, 0x4004) == [.initCode])
    #expect(at(4, 0x4008).isEmpty)
    #expect(at(5, 0x9000) == [.data, .initCode])
    #expect(at(99, 0).isEmpty, "no such section")
  }
}
