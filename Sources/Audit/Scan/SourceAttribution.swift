// Function, file, line and inlined frames of findings, from DWARF. Replacement code has no line of
// its own: it takes that of the place it is patched into.

import KernelImage

/// Gives findings their place in the source.
struct SourceAttribution {
  let options: AuditOptions
  let image: KernelImage
  let context: ImageContext

  /// Fills in the source of `findings`, which stand in the order of `hits`; returns remarks for the user.
  func attribute(_ findings: inout [Finding], hits: [PlacedHit]) throws(ImageError) -> [String] {
    guard
      let locator = try SourceLocator(
        image: image, debugFile: options.open.debugFile, debugRoots: options.debugRoots),
      locator.hasDebugInfo
    else {
      return ["no debugging information: findings have functions and no lines"]
    }
    var wanted: [ImageAddress] = []
    var owners: [(finding: Int, site: Int?)] = []
    for (index, placed) in hits.enumerated() {
      wanted.append(ImageAddress(section: placed.section, address: placed.address))
      owners.append((index, nil))
      let sites = context.patchSites(sectionIndex: placed.section, address: placed.address)
      for (number, site) in sites.enumerated() {
        wanted.append(site.place)
        owners.append((index, number))
      }
    }
    let locations = try locator.locate(wanted, jobs: options.jobs)
    for (owner, location) in zip(owners, locations) {
      if let site = owner.site {
        Self.fill(&findings[owner.finding], site: site, from: location)
      } else {
        Self.fill(&findings[owner.finding], from: location)
      }
    }
    return locator.remarks
  }

  private static func fill(_ finding: inout Finding, from location: SourceLocation) {
    guard let outermost = location.frames.last else { return }
    if !outermost.function.isEmpty { finding.function = outermost.function }
    finding.file = outermost.file
    finding.line = outermost.line
    finding.inlined = location.frames.dropLast().map {
      Frame(function: $0.function, file: $0.file, line: $0.line)
    }
  }

  private static func fill(_ finding: inout Finding, site: Int, from location: SourceLocation) {
    guard let outermost = location.frames.last, finding.sites.indices.contains(site) else { return }
    if !outermost.function.isEmpty { finding.sites[site].function = outermost.function }
    finding.sites[site].file = location.frames.first?.file
    finding.sites[site].line = location.frames.first?.line
    // The first site stands for the finding itself, which has no line otherwise.
    if site == 0, finding.line == nil { fill(&finding, from: location) }
  }
}
