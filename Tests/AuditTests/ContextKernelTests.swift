// The tables of real kernels, where the machine has some: XENOGRAFT_TEST_KERNEL names a bzImage,
// XENOGRAFT_TEST_VMLINUX_DBG the vmlinux with symbols, XENOGRAFT_TEST_MODULE a kernel module.

import Foundation
import KernelImage
import Testing

@testable import Audit

private func path(_ variable: String) -> String? {
  ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
}

private let kernel = path("XENOGRAFT_TEST_KERNEL")
private let vmlinux = path("XENOGRAFT_TEST_VMLINUX_DBG")
private let module = path("XENOGRAFT_TEST_MODULE")

@Suite struct ContextKernelTests {
  /// Counts taken from the same images with objdump and a script, by build id.
  private static let known: [String: TableCounts] = [
    "06f8bde30046985060c60820f7a11515a33afb06": {
      var counts = TableCounts()
      counts.alternatives = 4_652
      counts.replacements = 3_976
      counts.nativeReplacements = 2_272
      counts.paravirtSites = 3_841
      counts.exceptions = 600
      counts.jumpLabels = 6_279
      counts.staticCalls = 4_086
      return counts
    }()
  ]

  @Test(.enabled(if: kernel != nil, "XENOGRAFT_TEST_KERNEL names no bzImage"))
  func strippedKernel_givesItsTables() throws {
    let image = try KernelImage.open(path: #require(kernel))
    try check(image)
  }

  @Test(.enabled(if: kernel != nil, "XENOGRAFT_TEST_KERNEL names no bzImage"))
  func kernelWithoutNames_givesTheSameTables() throws {
    let path = try #require(kernel)
    let named = try KernelImage.open(path: path)
    let bare = try KernelImage.open(path: path, options: OpenOptions(readsKallsyms: false))
    #expect(ImageContext(image: bare).counts == ImageContext(image: named).counts)
  }

  @Test(.enabled(if: vmlinux != nil, "XENOGRAFT_TEST_VMLINUX_DBG names no vmlinux"))
  func kernelWithSymbols_givesItsTablesAndRegions() throws {
    let image = try KernelImage.open(path: #require(vmlinux))
    try check(image)
    let regions = CodeRegion.regions(of: image)
    let origins = Set(regions.map(\.origin))
    #expect(
      origins.isSuperset(of: [
        "real-mode blob", "optprobe template", "embedded ELF object",
        "embedded ELF shared object",
      ]))
    let blob = regions.filter { $0.origin == "real-mode blob" }
    #expect(blob.map(\.width) == [.bits16, .bits32, .bits64])
    #expect(
      zip(blob, blob.dropFirst()).allSatisfy { $0.range.upperBound == $1.range.lowerBound })
  }

  @Test(.enabled(if: module != nil, "XENOGRAFT_TEST_MODULE names no kernel module"))
  func module_pointsThroughItsRelocations() throws {
    let image = try KernelImage.open(path: #require(module))
    #expect(image.isRelocatable)
    let tested = ImageContext(image: image)
    #expect(tested.remarks.isEmpty)
    #expect(tested.counts.alternatives > 0)
    let replacement = try #require(
      image.sections.first { $0.name == ".altinstr_replacement" && $0.size > 0 })
    let sites = tested.patchSites(sectionIndex: replacement.index, address: 0)
    #expect(!sites.isEmpty)
    for site in sites {
      let section = try #require(
        image.sections.indices.contains(site.place.section)
          ? image.sections[site.place.section] : nil)
      #expect(section.isExecutable && site.place.address < section.size)
    }
  }

  /// What holds for every good kernel, and the exact counts for those that are known.
  private func check(_ image: KernelImage) throws {
    let tested = ImageContext(image: image)
    #expect(tested.remarks.isEmpty, "a good kernel's tables are believed to the last entry")
    let table = try #require(image.sections.first { $0.name == ".altinstructions" })
    #expect(
      [12, 13, 14].contains { tested.counts.alternatives * $0 == table.bytes.count })
    #expect(tested.counts.replacements > 0)
    #expect(tested.counts.nativeReplacements > 0)
    #expect(tested.counts.exceptions > 0)
    #expect(tested.counts.jumpLabels > 0)
    #expect(tested.counts.staticCalls > 0)
    if let buildID = image.buildID, let counts = Self.known[buildID] {
      #expect(tested.counts == counts)
    }
  }
}
