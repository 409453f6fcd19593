// Code outside the ordinary sections: the real-mode blob, embedded ELF images, marked templates and
// entries of another width.

import KernelImage
import Testing

@testable import Audit

/// A made-up real-mode blob of two pages, code in the second, with the far jumps that divide it.
func makeBlob(wide: Bool = true, long: Bool = true) -> [UInt8] {
  var blob = [UInt8](repeating: 0, count: 0x3000)
  func put(_ value: UInt32, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) {
      blob.replaceSubrange(offset..<(offset + 4), with: $0)
    }
  }
  put(0x1000, at: 0)
  put(0x1200, at: 4)
  put(0x1000, at: 8)
  blob[0x1000] = 0xfa
  if wide {
    // ljmpl $0x8, $0x1100
    blob.replaceSubrange(0x1010..<0x1018, with: [0x66, 0xea, 0x00, 0x11, 0, 0, 0x08, 0])
  }
  if long {
    // In the 32-bit part: a jump that keeps its segment, then one that loads another.
    blob.replaceSubrange(0x1110..<0x1117, with: [0xea, 0x20, 0x11, 0, 0, 0x08, 0])
    blob.replaceSubrange(0x1120..<0x1127, with: [0xea, 0x80, 0x11, 0, 0, 0x10, 0])
  }
  put(0x65a2_2c82, at: 0x2ffc)
  return blob
}

/// A made-up 64- or 32-bit ELF image: one executable section of 16 bytes at 0x100, one of data.
func makeELF(wide: Bool, machine: UInt16, type: UInt16 = 3) -> [UInt8] {
  var file = [UInt8](repeating: 0xcc, count: 0x200)
  func put(_ value: UInt64, _ size: Int, at offset: Int) {
    for index in 0..<size { file[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
  file.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1])
  put(UInt64(type), 2, at: 16)
  put(UInt64(machine), 2, at: 18)
  let stride = wide ? 64 : 40
  let table = 0x120
  if wide {
    put(UInt64(table), 8, at: 40)
    put(UInt64(stride), 2, at: 58)
    put(3, 2, at: 60)
  } else {
    put(UInt64(table), 4, at: 32)
    put(UInt64(stride), 2, at: 46)
    put(3, 2, at: 48)
  }
  for (index, flags) in [UInt64(0), 6, 2].enumerated() {
    let header = table + index * stride
    put(1, 4, at: header + 4)
    let word = wide ? 8 : 4
    put(flags, word, at: header + 8)
    put(0x100, word, at: header + 8 + 2 * word)
    put(16, word, at: header + 8 + 3 * word)
  }
  return file
}

@Suite struct ContextRegionsTests {
  private func image(_ data: [UInt8], at offset: Int = 0, symbols: [ImageSymbol] = [])
    -> KernelImage
  {
    let bytes = [UInt8](repeating: 0x11, count: offset) + data + [UInt8](repeating: 0x11, count: 64)
    return makeImage(
      [
        SectionSpec(
          name: ".text", address: Base.text, bytes: [UInt8](repeating: 0x90, count: 0x1000),
          isExecutable: true),
        SectionSpec(name: ".init.data", address: Base.data, bytes: bytes),
      ], symbols: symbols)
  }

  private func offsets(_ region: CodeRegion) -> Range<UInt64> {
    (region.range.lowerBound - Base.data)..<(region.range.upperBound - Base.data)
  }

  @Test(arguments: [true, false])
  func realModeBlob_isDividedByItsFarJumps(hasSymbols: Bool) {
    let symbols = [("real_mode_blob", 0x1000), ("real_mode_blob_end", 0x4000)].map {
      ImageSymbol(
        name: $0.0, address: Base.data + UInt64($0.1), size: 0, kind: .object, section: 1)
    }
    let regions = CodeRegion.regions(
      of: image(makeBlob(), at: 0x1000, symbols: hasSymbols ? symbols : []))
    #expect(regions.map(\.width) == [.bits16, .bits32, .bits64])
    #expect(
      regions.map(offsets) == [0x2000..<0x2100, 0x2100..<0x2180, 0x2180..<0x2200])
    #expect(regions.allSatisfy { $0.isData && $0.origin == "real-mode blob" })
    #expect(regions.allSatisfy { $0.sectionIndex == 1 })
  }

  @Test func realModeBlob_claimsOnlyWhatItsJumpsShow() {
    let none = CodeRegion.regions(of: image(makeBlob(wide: false, long: false)))
    #expect(none.map(\.width) == [.bits16])
    let two = CodeRegion.regions(of: image(makeBlob(long: false)))
    #expect(two.map(\.width) == [.bits16, .bits32])
    var unsigned = makeBlob()
    unsigned[0x2fff] = 0
    #expect(CodeRegion.regions(of: image(unsigned)).isEmpty)
    #expect(CodeRegion.regions(of: image(makeBlob(), at: 0x10)).isEmpty, "not on a page")
  }

  @Test(arguments: [
    (true, UInt16(62), CodeWidth.bits64), (false, 62, .bits64), (false, 3, .bits32),
  ])
  func embeddedELF_givesItsExecutableSections(wide: Bool, machine: UInt16, width: CodeWidth) {
    let file = makeELF(wide: wide, machine: machine)
    let regions = CodeRegion.regions(of: image(file + file, at: 0x48))
    #expect(regions.map(\.width) == [width, width])
    #expect(regions.map(offsets) == [0x148..<0x158, 0x348..<0x358])
    #expect(regions.allSatisfy { $0.isData && $0.origin == "embedded ELF shared object" })
  }

  @Test func embeddedELF_ofOtherMachinesOrCutShortIsPassedOver() {
    #expect(CodeRegion.regions(of: image(makeELF(wide: true, machine: 183))).isEmpty)
    #expect(CodeRegion.regions(of: image(makeELF(wide: true, machine: 62, type: 4))).isEmpty)
    let file = makeELF(wide: true, machine: 62)
    let cut = Array(file[0..<0x180])
    #expect(CodeRegion.regions(of: image(cut)).isEmpty, "its section headers are past the end")
    var far = file
    far.replaceSubrange(40..<48, with: [UInt8](repeating: 0xff, count: 8))
    #expect(CodeRegion.regions(of: image(far)).isEmpty)
    var stretched = file
    let size = 0x120 + 64 + 32
    stretched.replaceSubrange(size..<(size + 8), with: [UInt8](repeating: 0x7f, count: 8))
    #expect(CodeRegion.regions(of: image(stretched)).isEmpty)
  }

  @Test func optprobeTemplate_isOfTheImagesOwnWidth() {
    let symbols = [("optprobe_template_entry", 4), ("optprobe_template_end", 20)].map {
      ImageSymbol(
        name: $0.0, address: Base.data + UInt64($0.1), size: 0, kind: .object, section: 1)
    }
    let regions = CodeRegion.regions(of: image([], symbols: symbols))
    #expect(regions.map(offsets) == [4..<20])
    #expect(regions.map(\.width) == [.bits64])
  }

  @Test func entryOfAnotherWidth_endsAtTheModeSwitchOrTheNextFunction() {
    func regions(_ text: [UInt8], function: UInt64?, endIsKnown: Bool = false)
      -> [Range<UInt64>]
    {
      let symbols = function.map {
        [
          ImageSymbol(
            name: "next", address: Base.text + $0, size: 1, kind: .function, section: 0)
        ]
      }
      let found = CodeRegion.regions(
        of: makeImage(
          [SectionSpec(name: ".text", address: Base.text, bytes: text, isExecutable: true)],
          symbols: symbols ?? [],
          entries: [
            CodeEntry(address: Base.text + 0x20, width: .bits32, origin: "PVH entry note"),
            CodeEntry(address: Base.text + 0x40, width: .bits64, origin: "own width"),
            CodeEntry(address: 0x1000, width: .bits32, origin: "nowhere"),
          ]))
      #expect(found.allSatisfy { $0.width == .bits32 && !$0.isData })
      #expect(found.allSatisfy { $0.endIsKnown == endIsKnown })
      return found.map {
        ($0.range.lowerBound - Base.text)..<($0.range.upperBound - Base.text)
      }
    }
    var text = [UInt8](repeating: 0x90, count: 0x100)
    #expect(regions(text, function: nil) == [0x20..<0x100])
    #expect(regions(text, function: 0x80) == [0x20..<0x80])
    // ljmp to the physical address of the next instruction, at 0x37.
    text.replaceSubrange(0x30..<0x37, with: [0xea, 0x37, 0x00, 0x00, 0x01, 0x10, 0x00])
    #expect(regions(text, function: 0x80, endIsKnown: true) == [0x20..<0x37])
  }
}
