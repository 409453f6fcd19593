// `.altinstructions`: which code is patched over which at boot, and on what condition.

import KernelImage

/// One entry of `.altinstructions`.
struct Alternative: Sendable {
  /// The code that may be replaced, padding included.
  var site: ImageAddress
  var siteLength: UInt8
  /// The code that may take its place; `nil` where the site becomes no-operations.
  var replacement: ImageAddress?
  var replacementLength: UInt8
  var feature: CPUFeature
  /// The site is one of `.parainstructions`, too.
  var isParavirtSite = false
}

/// The alternatives of an image, by the code that they replace and by the code they put there.
struct Alternatives: Sendable {
  let entries: [Alternative]
  let layout: AlternativeLayout?
  /// Entries that point outside executable sections, or bytes left over.
  let ignored: Int
  private let bySite: RangeIndex
  private let byReplacement: RangeIndex

  /// The tables of one image taken together; most images have one or none.
  init(merging tables: [Alternatives]) {
    if tables.count == 1 {
      self = tables[0]
    } else {
      self.init(
        entries: tables.flatMap(\.entries), layout: tables.lazy.compactMap(\.layout).first,
        ignored: tables.reduce(0) { $0 + $1.ignored })
    }
  }

  init(table: PatchTable) {
    guard let layout = AlternativeLayout.detect(table) else {
      self.init(entries: [], layout: nil, ignored: table.bytes.count == 0 ? 0 : 1)
      return
    }
    let stride = layout.stride
    let count = table.entries(stride: stride)
    var entries: [Alternative] = []
    entries.reserveCapacity(count)
    for index in 0..<count {
      if let entry = layout.parse(table, at: index * stride) { entries.append(entry) }
    }
    let rest = table.bytes.count.isMultiple(of: stride) ? 0 : 1
    self.init(entries: entries, layout: layout, ignored: count - entries.count + rest)
  }

  init(entries: [Alternative], layout: AlternativeLayout?, ignored: Int) {
    self.entries = entries
    self.layout = layout
    self.ignored = ignored
    bySite = RangeIndex(
      entries.enumerated().map { .init(start: $1.site, length: $1.siteLength, value: $0) })
    byReplacement = RangeIndex(
      entries.enumerated().compactMap { index, entry in
        entry.replacement.map {
          .init(start: $0, length: entry.replacementLength, value: index)
        }
      })
  }

  /// The same alternatives, those at a paravirt site marked as such.
  func marking(_ paravirt: CodeSites) -> Alternatives {
    guard paravirt.count > 0 else { return self }
    var marked = entries
    for index in marked.indices {
      marked[index].isParavirtSite = paravirt.begins(at: marked[index].site)
    }
    return Alternatives(
      entries: marked, layout: layout, ignored: ignored, bySite: bySite,
      byReplacement: byReplacement)
  }

  private init(
    entries: [Alternative], layout: AlternativeLayout?, ignored: Int, bySite: RangeIndex,
    byReplacement: RangeIndex
  ) {
    self.entries = entries
    self.layout = layout
    self.ignored = ignored
    self.bySite = bySite
    self.byReplacement = byReplacement
  }

  /// Calls `body` with each alternative that may replace the bytes.
  func forEachReplacing(
    section: Int, address: UInt64, length: Int, _ body: (Alternative) -> Void
  ) {
    bySite.forEach(section: section, address: address, length: length) { body(entries[$0]) }
  }

  /// Calls `body` with each alternative whose replacement code holds the bytes.
  func forEachPlacing(
    section: Int, address: UInt64, length: Int, _ body: (Alternative) -> Void
  ) {
    byReplacement.forEach(section: section, address: address, length: length) {
      body(entries[$0])
    }
  }
}
