// What an image's own tables say about an address: whether the code there is patched, from where,
// on what condition, and whether a PV guest ever sees it. guides/audit-context.md explains the terms.

public import KernelImage

/// A place that replacement code is patched into, as the image's table names it.
public struct ReplacementSite: Sendable, Hashable {
  /// Where the instruction stands once it is patched in.
  public var place: ImageAddress
  /// The condition in words: `X86_FEATURE_SMAP`, `not X86_FEATURE_XENPV`.
  public var feature: String
}

/// How many entries of each table were read.
public struct TableCounts: Sendable, Equatable {
  /// Entries of `.altinstructions`.
  public var alternatives = 0
  /// Those with replacement code; the others become no-operations.
  public var replacements = 0
  /// Those on `not X86_FEATURE_XENPV`: the native side of a paravirtual operation.
  public var nativeReplacements = 0
  public var paravirtSites = 0
  public var exceptions = 0
  public var jumpLabels = 0
  public var staticCalls = 0
}

/// The tables of one image, ready for lookup from any thread.
public struct ImageContext: Sendable {
  /// Entries read, table by table.
  public let counts: TableCounts
  /// What could not be believed, in words.
  public let remarks: [String]

  private let alternatives: Alternatives
  private let paravirt: CodeSites
  private let exceptions: CodeSites
  private let jumpLabels: CodeSites
  private let staticCalls: CodeSites
  private let lifetimes: SectionLifetimes

  /// Reads the tables of `image`.
  public init(image: KernelImage) {
    let symbols = MarkerSymbols(image: image)
    let map = AddressMap(sections: image.sections)
    let locator = TableLocator(image: image, symbols: symbols, map: map)
    let tables = PatchTables(locator: locator)
    alternatives = tables.alternatives
    paravirt = tables.paravirt
    exceptions = tables.exceptions
    jumpLabels = tables.jumpLabels
    staticCalls = tables.staticCalls
    counts = tables.counts
    remarks = tables.remarks
    lifetimes = SectionLifetimes(image: image, symbols: symbols)
  }

  /// Where the instruction at `address` stands.
  ///
  /// Replacement code that goes into a paravirt site counts as the site. The contexts that depend on
  /// how the instruction was decoded (width, forced emulation, overlap) are the scanner's to add.
  /// - Parameters:
  ///   - sectionIndex: Index into ``KernelImage/sections``.
  ///   - address: The instruction's first byte; relative to the section in a relocatable file.
  ///   - length: The instruction's length in bytes.
  /// - Returns: The contexts, sorted.
  public func contexts(sectionIndex: Int, address: UInt64, length: Int) -> [FindingContext] {
    var contexts: [FindingContext] = []
    var isParavirt = paravirt.touches(section: sectionIndex, address: address, length: length)
    var isReplacement = false
    alternatives.forEachPlacing(section: sectionIndex, address: address, length: length) {
      isReplacement = true
      if $0.isParavirtSite { isParavirt = true }
    }
    var isOriginal = false
    alternatives.forEachReplacing(section: sectionIndex, address: address, length: length) { _ in
      isOriginal = true
    }
    if isReplacement { contexts.append(.alternative) }
    if isOriginal { contexts.append(.alternativeOriginal) }
    if isParavirt { contexts.append(.paravirtSite) }
    if exceptions.touches(section: sectionIndex, address: address, length: 1) {
      contexts.append(.exceptionTable)
    }
    if jumpLabels.touches(section: sectionIndex, address: address, length: length) {
      contexts.append(.jumpLabel)
    }
    if staticCalls.touches(section: sectionIndex, address: address, length: length) {
      contexts.append(.staticCall)
    }
    lifetimes.append(to: &contexts, section: sectionIndex, address: address)
    return contexts.sorted()
  }

  /// The places that the replacement code at `address` is patched into, in order of address.
  ///
  /// Empty for code that is no replacement.
  public func patchSites(sectionIndex: Int, address: UInt64) -> [ReplacementSite] {
    var sites: [ReplacementSite] = []
    alternatives.forEachPlacing(section: sectionIndex, address: address, length: 1) { entry in
      guard let replacement = entry.replacement else { return }
      let place = ImageAddress(
        section: entry.site.section,
        address: entry.site.address &+ (address &- replacement.address))
      sites.append(ReplacementSite(place: place, feature: entry.feature.text))
    }
    return sites.sorted { ($0.place, $0.feature) < ($1.place, $1.feature) }
  }

  /// Whether the code at `address` is present in a running PV guest.
  public func liveness(sectionIndex: Int, address: UInt64, length: Int) -> Liveness {
    var placed = 0
    var native = 0
    var gated = 0
    alternatives.forEachPlacing(section: sectionIndex, address: address, length: length) {
      placed += 1
      switch $0.feature.side {
      case .native: native += 1
      case .feature: gated += 1
      case .always, .paravirtual: break
      }
    }
    if placed > 0 {
      // One user that every guest has makes the code live, whatever the others say.
      if native + gated < placed { return .always }
      return native == placed ? .nativeOnly : .featureGated
    }
    var liveness = Liveness.always
    alternatives.forEachReplacing(section: sectionIndex, address: address, length: length) {
      switch $0.feature.side {
      case .paravirtual: liveness = .nativeOnly
      case .feature where liveness == .always: liveness = .featureGated
      case .feature, .native, .always: break
      }
    }
    return liveness
  }
}
