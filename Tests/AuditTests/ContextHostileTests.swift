// Tables that somebody broke on purpose: each reader answers with fewer entries, never with a trap,
// a hang or a claim outside the image.

import KernelImage
import Testing

@testable import Audit

@Suite struct ContextHostileTests {
  private static let names = [
    ".altinstructions", ".parainstructions", "__ex_table", "__jump_table", ".static_call_sites",
  ]

  /// Everything that a scanner would ask.
  private func exercise(_ image: KernelImage) {
    let tested = ImageContext(image: image)
    for section in -1...image.sections.count {
      for address: UInt64 in [
        0, Base.text, Base.text + 0xfff, Base.replacement + 1, .max, .max - 3,
      ] {
        let found = tested.contexts(sectionIndex: section, address: address, length: 15)
        #expect(found == found.sorted())
        _ = tested.liveness(sectionIndex: section, address: address, length: .max)
        for site in tested.patchSites(sectionIndex: section, address: address) {
          #expect(image.sections.indices.contains(site.place.section))
        }
      }
    }
    for region in CodeRegion.regions(of: image) {
      let section = image.sections[region.sectionIndex]
      #expect(region.range.lowerBound >= section.address)
      #expect(region.range.upperBound - section.address <= UInt64(section.bytes.count))
    }
  }

  @Test func tables_ofRandomBytes() {
    var random = SeededNumbers(state: 7)
    for round in 0..<1_000 {
      let size = Int.random(in: 0...200, using: &random)
      let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
      exercise(makeImage(table: Self.names[round % Self.names.count], bytes))
    }
  }

  @Test func tables_withOneByteChanged() {
    var random = SeededNumbers(state: 11)
    for round in 0..<2_000 {
      var writer = TableWriter()
      for index in 0..<12 {
        writer.relative32(to: Base.text + UInt64(index) * 8)
        writer.relative32(to: Base.replacement + UInt64(index))
        writer.integer(UInt32(0x0306_8110))
      }
      for _ in 0..<3 {
        let place = Int.random(in: 0..<writer.bytes.count, using: &random)
        writer.bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      exercise(makeImage(table: Self.names[round % Self.names.count], writer.bytes))
    }
  }

  @Test func blobsAndEmbeddedImages_withBytesChanged() {
    var random = SeededNumbers(state: 13)
    let good = makeBlob() + makeELF(wide: true, machine: 62) + makeELF(wide: false, machine: 3)
    let headers = [0..<12, 0x1000..<0x1200, 0x3000..<0x3400]
    for _ in 0..<1_000 {
      var data = good
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        guard let range = headers.randomElement(using: &random) else { continue }
        data[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        data.removeLast(Int.random(in: 0..<0x400, using: &random))
      }
      exercise(makeImage([SectionSpec(name: ".rodata", address: Base.data, bytes: data)]))
    }
  }

  @Test func sections_atTheEndOfTheAddressSpace() {
    let bytes = [UInt8](repeating: 0x7f, count: 64)
    exercise(
      makeImage([
        SectionSpec(name: ".text", address: .max - 8, bytes: bytes, isExecutable: true),
        SectionSpec(name: ".altinstructions", address: .max - 60, bytes: bytes),
        SectionSpec(name: "__ex_table", address: .max, bytes: bytes),
        SectionSpec(name: ".rodata", address: .max - 1, bytes: makeBlob()),
      ]))
  }

  @Test func symbols_thatLie() {
    let names = [
      "__start___jump_table", "__stop___jump_table", "real_mode_blob", "real_mode_blob_end",
      "_sinittext", "_einittext", "wakeup_start", "wakeup_32", "wakeup_64",
    ]
    let addresses: [UInt64] = [0, Base.data, Base.data + 3, Base.data + 5_000, .max]
    var random = SeededNumbers(state: 17)
    for _ in 0..<500 {
      let symbols = names.map { name in
        ImageSymbol(
          name: name, address: addresses.randomElement(using: &random) ?? 0, size: .max,
          kind: .object, section: Int.random(in: -2...3, using: &random))
      }
      exercise(
        makeImage(
          [
            SectionSpec(
              name: ".text", address: Base.text, bytes: [UInt8](repeating: 0xea, count: 64),
              isExecutable: true),
            SectionSpec(name: ".rodata", address: Base.data, bytes: makeBlob()),
          ], symbols: symbols,
          entries: addresses.map { CodeEntry(address: $0, width: .bits32, origin: "lie") }))
    }
  }

  @Test func lookups_areBoundedWhenEveryEntryNamesOnePlace() {
    var writer = TableWriter()
    for _ in 0..<100_000 {
      writer.relative32(to: Base.text)
      writer.relative32(to: Base.replacement)
      writer.integer(UInt32(0x0306_8110))
    }
    let tested = ImageContext(image: makeImage(table: ".altinstructions", writer.bytes))
    #expect(tested.counts.alternatives == 100_000)
    let sites = tested.patchSites(sectionIndex: 1, address: Base.replacement)
    #expect(sites.count == RangeIndex.hitLimit)
  }
}
