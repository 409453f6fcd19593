// When do inspect and Xen agree? On taking the image, on its running, and on the reason.

import ABISchema
import Foundation
import ImageInspection
import KernelImage
import Testing

/// Holds the inspector for many images.
struct Comparison {
  let inspector: Inspector

  init() throws { inspector = Inspector(try #require(ABILoader.embedded().abi)) }

  /// A part of Xen's message for each rule that refuses.
  static let messages: [String: [String]] = [
    "program-headers-outside": ["phdr overflow"],
    "section-headers-outside": ["shdr overflow"],
    // Xen reads the table's size in the order that the file claims.
    "machine": ["Mismatch between", "phdr overflow", "CONFIG_PV32"],
    // It looks for Xen's notes only where there are none at all.
    "no-notes": ["Not a Xen-ELF image", "generic loader"],
    "feature-unknown": ["Could not construct domain 0"], "loader": ["generic loader"],
    "xen-version": ["built for Xen v3.0"], "paddr-offset-alone": ["VIRT_BASE unset"],
    "nothing-loaded": ["out of bounds"], "image-wraps": ["out of bounds"],
    "virt-base-above-image": ["out of bounds"], "entry-outside": ["out of bounds"],
    "p2m-in-image": ["P->M table base"], "p2m-in-region": ["overlaps initial mapping"],
    "not-domain0": ["does not support Dom0"], "pae-mode": ["CONFIG_PV32"],
    "supervisor-required": ["requires supervisor-mode"], "hypervisor-range": ["private area"],
    "not-canonical": ["Failed to load"], "segment-larger-in-file": ["Failed to load"],
    "memory": ["too small"], "hypercall-page-outside": ["HYPERCALL_PAGE"],
    "region-wraps": ["HYPERCALL_PAGE"],
  ]

  func expectAgreement(_ subject: Subject, _ xen: XenVerdict) {
    let inspection: Inspection
    do {
      inspection = try inspector.inspect(
        BootFile(ImageBytes(copying: subject.bytes), path: subject.name),
        options: InspectionOptions(memory: subject.memory << 20))
    } catch {
      #expect(
        [.refused, .dies].contains(xen.outcome), "\(subject.name): not even an image, \(error)")
      return
    }
    let report = inspection.protocols.first { [.pv64, .pv32].contains($0.bootProtocol) }
    let verdict = report?.loaders.first { $0.loader == .xenDomain0 }
    let outcome = verdict?.outcome ?? .refused
    let text = "\(subject.name): inspect \(outcome) by \(verdict?.rules ?? []), Xen \(xen)"
    switch outcome {
    case .refused: #expect(xen.outcome == .refused, "\(text)")
    case .fails: #expect([.dies, .silent].contains(xen.outcome), "\(text)")
    case .boots:
      #expect(subject.line == nil ? xen.outcome != .refused : xen.outcome == .runs, "\(text)")
    case .uncertain:
      let needsOption = verdict?.rules.contains("pv32-option") == true
      #expect(needsOption == xen.message.contains("CONFIG_PV32"), "\(text)")
      #expect(needsOption == (xen.outcome == .refused), "\(text)")
    }
    if outcome == .refused {
      // Xen stops at its first reason, which is the first of ours.
      let fragments = verdict?.rules.first.flatMap { Self.messages[$0] } ?? []
      #expect(fragments.contains { xen.message.contains($0) }, "\(text)")
    }
    expectSameLayout(subject, inspection, xen, text)
  }

  /// Where Xen got as far as printing the layout it is the same, part by part.
  private func expectSameLayout(
    _ subject: Subject, _ inspection: Inspection, _ xen: XenVerdict, _ text: String
  ) {
    guard !xen.layout.isEmpty,
      let layout = inspection.layouts.first(where: { $0.loader == .xenDomain0 })
    else { return }
    var parts = layout.parts.map { "\($0.name)=\(hex($0.start))-\(hex($0.end))" }
    parts.append("total=\(hex(layout.start))-\(hex(layout.end))")
    parts.append("entry=\(hex(layout.entry))")
    let printed = Set(xen.layout.split(separator: ",").map(String.init))
    #expect(Set(parts) == printed, "\(text)")
  }

  private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}
