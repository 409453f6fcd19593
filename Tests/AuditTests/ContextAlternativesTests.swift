// .altinstructions: each layout is recognized by its entries alone, lookups map replacement code to
// its sites, and the condition decides the liveness.

import KernelImage
import Testing

@testable import Audit

/// One entry to write in any layout.
private struct Entry {
  var site = Base.text + 0x10
  var replacement = Base.replacement
  var feature: UInt16 = 9 * 32 + 20
  var isNegated = false
  var siteLength: UInt8 = 6
  var replacementLength: UInt8 = 3
}

private func table(_ layout: AlternativeLayout, _ entries: [Entry]) -> [UInt8] {
  var writer = TableWriter()
  for entry in entries {
    writer.relative32(to: entry.site)
    writer.relative32(to: entry.replacement)
    switch layout {
    case .linux12:
      writer.integer(entry.feature | (entry.isNegated ? 0x8000 : 0))
      writer.integer(entry.siteLength)
      writer.integer(entry.replacementLength)
    case .linux13:
      writer.integer(entry.feature)
      writer.integer(entry.siteLength)
      writer.integer(entry.replacementLength)
      writer.integer(UInt8(1))
    case .linux14:
      writer.integer(entry.feature)
      writer.integer(UInt16(entry.isNegated ? 1 : 0))
      writer.integer(entry.siteLength)
      writer.integer(entry.replacementLength)
    case .xen14:
      writer.integer(entry.feature)
      writer.integer(UInt8(entry.siteLength - 2))
      writer.integer(entry.replacementLength)
      writer.integer(UInt8(2))
      writer.integer(UInt8(0))
    }
  }
  return writer.bytes
}

private func context(_ entries: [Entry], _ layout: AlternativeLayout = .linux12) -> ImageContext {
  ImageContext(image: makeImage(table: ".altinstructions", table(layout, entries)))
}

@Suite struct ContextAlternativesTests {
  @Test(arguments: AlternativeLayout.allCases)
  func layout_isRecognizedFromEntries(_ layout: AlternativeLayout) {
    let entries = (0..<20).map { Entry(site: Base.text + 0x10 + UInt64($0) * 16) }
    let image = makeImage(table: ".altinstructions", table(layout, entries))
    let map = AddressMap(sections: image.sections)
    let patched = Alternatives(
      table: PatchTable(section: image.sections[2], map: map, relocations: nil))
    #expect(patched.layout == layout)
    #expect(patched.entries.count == 20)
    #expect(patched.ignored == 0)
    #expect(patched.entries.allSatisfy { $0.siteLength == 6 && $0.replacementLength == 3 })
    #expect(patched.entries.allSatisfy { $0.feature.number == 308 && !$0.feature.isNegated })
  }

  @Test func replacement_mapsToEverySiteAtTheSameOffset() {
    let tested = context([Entry(site: Base.text + 0x80), Entry(site: Base.text + 0x20)])
    let sites = tested.patchSites(sectionIndex: 1, address: Base.replacement + 2)
    #expect(sites.map(\.place.address) == [Base.text + 0x22, Base.text + 0x82])
    #expect(sites.allSatisfy { $0.place.section == 0 && $0.feature == "X86_FEATURE_SMAP" })
    #expect(tested.patchSites(sectionIndex: 1, address: Base.replacement + 3).isEmpty)
    #expect(tested.patchSites(sectionIndex: 0, address: Base.text + 0x20).isEmpty)
  }

  @Test func contexts_followTheRanges() {
    let tested = context([Entry()])
    func at(_ section: Int, _ address: UInt64, _ length: Int = 1) -> [FindingContext] {
      tested.contexts(sectionIndex: section, address: address, length: length)
    }
    #expect(at(1, Base.replacement) == [.alternative])
    #expect(at(1, Base.replacement + 3).isEmpty)
    #expect(at(0, Base.text + 0x0f).isEmpty)
    #expect(at(0, Base.text + 0x0f, 2) == [.alternativeOriginal])
    #expect(at(0, Base.text + 0x15) == [.alternativeOriginal])
    #expect(at(0, Base.text + 0x16).isEmpty)
  }

  @Test(arguments: [AlternativeLayout.linux12, .linux14])
  func liveness_dependsOnTheCondition(_ layout: AlternativeLayout) {
    let xenPV = CPUFeature.xenPV
    let tested = context(
      [
        Entry(feature: xenPV, isNegated: true),
        Entry(site: Base.text + 0x40, replacement: Base.replacement + 0x10),
        Entry(
          site: Base.text + 0x80, replacement: Base.replacement + 0x20,
          feature: CPUFeature.always),
        Entry(site: Base.text + 0xc0, replacement: Base.replacement + 0x30, feature: xenPV),
      ], layout)
    func live(_ section: Int, _ address: UInt64) -> Liveness {
      tested.liveness(sectionIndex: section, address: address, length: 1)
    }
    #expect(live(1, Base.replacement) == .nativeOnly)
    #expect(live(0, Base.text + 0x10) == .always, "what a PV guest keeps")
    #expect(live(1, Base.replacement + 0x10) == .featureGated)
    #expect(live(0, Base.text + 0x40) == .featureGated)
    #expect(live(1, Base.replacement + 0x20) == .always)
    #expect(live(1, Base.replacement + 0x30) == .always)
    #expect(live(0, Base.text + 0xc0) == .nativeOnly, "replaced in a PV guest")
    #expect(live(0, Base.text + 0x800) == .always)
    let sites = tested.patchSites(sectionIndex: 1, address: Base.replacement)
    #expect(sites.map(\.feature) == ["not X86_FEATURE_XENPV"])
  }

  @Test func liveness_ofSharedReplacementIsThatOfItsLiveliestUser() {
    let native = Entry(feature: CPUFeature.xenPV, isNegated: true)
    var gated = Entry(site: Base.text + 0x40)
    gated.replacement = native.replacement
    func live(_ entries: [Entry]) -> Liveness {
      context(entries).liveness(sectionIndex: 1, address: Base.replacement, length: 1)
    }
    #expect(live([native, native]) == .nativeOnly)
    #expect(live([native, gated]) == .featureGated)
    var always = gated
    always.feature = CPUFeature.always
    #expect(live([native, always]) == .always)
  }

  @Test func badEntries_areCountedAndLeftOut() {
    let outside = Entry(site: Base.data)
    let pastEnd = Entry(site: Base.text + 0xffe)
    let tooLong = Entry(siteLength: 2, replacementLength: 3)
    let good = (0..<8).map { Entry(site: Base.text + 0x100 + UInt64($0) * 8) }
    let tested = context(good + [outside, pastEnd, tooLong])
    #expect(tested.counts.alternatives == 8)
    #expect(
      tested.remarks == [".altinstructions: 3 entries do not lead to code and are left out"])
  }

  @Test func nonsense_givesNoAlternativesAndARemark() {
    let image = makeImage(table: ".altinstructions", [UInt8](repeating: 0xff, count: 120))
    let tested = ImageContext(image: image)
    #expect(tested.counts.alternatives == 0)
    #expect(tested.remarks.count == 1)
  }

  @Test func features_haveTheirNames() {
    func text(_ word: UInt16, _ bit: UInt16, not: Bool = false) -> String {
      CPUFeature(number: word * 32 + bit, isNegated: not).text
    }
    #expect(text(8, 16, not: true) == "not X86_FEATURE_XENPV")
    #expect(text(9, 20) == "X86_FEATURE_SMAP")
    #expect(text(9, 9) == "X86_FEATURE_ERMS")
    #expect(text(3, 21) == "X86_FEATURE_ALWAYS")
    #expect(text(3, 18) == "X86_FEATURE_LFENCE_RDTSC")
    #expect(text(11, 14) == "X86_FEATURE_RETHUNK")
    #expect(text(16, 16) == "X86_FEATURE_LA57")
    #expect(text(18, 4) == "X86_FEATURE_FSRM")
    #expect(text(0, 10) == "feature 0:10")
    #expect(text(22, 5) == "feature 22:5")
    #expect(CPUFeature(number: 308, isNegated: false, numbering: .xen).text == "Xen feature 9:20")
  }
}
