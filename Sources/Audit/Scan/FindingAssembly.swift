// From hits to findings: the rule's outcome for the target, what the image's tables say of the
// place, and the function by symbols.

import KernelImage

/// Makes findings of hits.
struct FindingAssembly {
  let image: KernelImage
  let symbols: SymbolIndex
  let context: ImageContext
  let target: Target

  func findings(_ hits: [PlacedHit]) -> [Finding] {
    hits.map(finding)
  }

  private func finding(_ placed: PlacedHit) -> Finding {
    let rule = placed.hit.rule
    let outcome = rule.outcomes[target]
    let section = image.sections[placed.section]
    var finding = Finding(
      address: placed.address, section: section.name, sectionIndex: placed.section,
      bytes: placed.hit.bytes, instruction: placed.hit.instruction, rule: rule.id,
      ruleClass: rule.ruleClass, disposition: outcome?.disposition ?? .replace,
      replacement: outcome?.replacement, guide: rule.guide)
    let length = placed.hit.bytes.count
    var contexts = context.contexts(
      sectionIndex: placed.section, address: placed.address, length: length)
    contexts += Self.decoding(placed, image.width)
    finding.context = Array(Set(contexts)).sorted()
    finding.liveness = context.liveness(
      sectionIndex: placed.section, address: placed.address, length: length)
    finding.sites = context.patchSites(sectionIndex: placed.section, address: placed.address).map {
      PatchSite(
        address: $0.place.address, function: symbols.function(at: $0.place)?.symbol.name, file: nil,
        line: nil, feature: $0.feature)
    }
    let place = ImageAddress(section: placed.section, address: placed.address)
    if let match = symbols.function(at: place), !finding.context.contains(.alternative) {
      finding.function = match.symbol.name
      finding.offset = match.offset
    } else if let site = finding.sites.first {
      finding.function = site.function
    }
    finding.disposition = disposition(finding, of: placed)
    return finding
  }

  /// The contexts that come from how the hit was decoded.
  private static func decoding(_ placed: PlacedHit, _ width: CodeWidth) -> [FindingContext] {
    var contexts: [FindingContext] = []
    if placed.width != width {
      if placed.width == .bits16 { contexts.append(.bits16) }
      if placed.width == .bits32 { contexts.append(.bits32) }
    }
    if placed.region?.isData == true { contexts.append(.data) }
    if placed.hit.isForcedEmulation { contexts.append(.forcedEmulation) }
    if placed.hit.isOverlap { contexts.append(.overlap) }
    if placed.isHidden { contexts.append(.hidden) }
    return contexts
  }

  /// The rule's disposition, unless the place says that a guest never comes here or asks for emulation by name.
  private func disposition(_ finding: Finding, of placed: PlacedHit) -> Disposition {
    if placed.region?.owner == .user { return .native }
    if target != .pvh {
      // A PV guest starts in its kernel's own width: code of another one is the bare machine's way in.
      if placed.region?.owner == .machine || finding.liveness == .nativeOnly { return .unreachable }
      if placed.hit.isForcedEmulation { return .emulated }
    }
    return finding.disposition
  }
}
