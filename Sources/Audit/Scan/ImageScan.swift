// The scan of a whole image: every executable section in the image's own width, and the regions
// that are of another width or stand in data. What comes out knows nothing of source or tables yet.

import Disassembly
import KernelImage

/// A hit with its place in the image.
struct PlacedHit: Sendable {
  var section: Int
  var address: UInt64
  var hit: ScanHit
  var width: CodeWidth
  /// The region that the hit was found in; `nil` in ordinary code.
  var region: CodeRegion?
  var isHidden = false
}

/// A run of bytes in which no instruction starts.
struct UndecodableRun: Sendable {
  var section: Int
  var address: UInt64
  var count: Int
}

/// Hits and counts over a whole image.
struct ImageScan {
  private(set) var hits: [PlacedHit] = []
  private(set) var undecodable: [UndecodableRun] = []
  private(set) var bytes = 0
  private(set) var instructions = 0
  private(set) var traps: [String: Int] = [:]

  private let image: KernelImage
  private let symbols: SymbolIndex
  private let matcher: RuleMatcher
  private let jobs: Int
  private var scanners: [CodeWidth: CodeScanner] = [:]

  /// Scans `image`.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - symbols: Where its functions start.
  ///   - regions: Code of other widths, or in data.
  ///   - matcher: The rules.
  ///   - jobs: Threads that may work.
  ///   - listsHidden: Whether to look inside instructions too.
  /// - Throws: ``CapstoneError`` where Capstone cannot be opened.
  init(
    _ image: KernelImage, symbols: SymbolIndex, regions: [CodeRegion], matcher: RuleMatcher,
    jobs: Int, listsHidden: Bool
  ) throws(CapstoneError) {
    self.image = image
    self.symbols = symbols
    self.matcher = matcher
    self.jobs = jobs
    var foreign: [Int: [Range<UInt64>]] = [:]
    for region in regions where image.sections.indices.contains(region.sectionIndex) {
      let covered = try scan(region)
      if !region.isData { foreign[region.sectionIndex, default: []] += covered }
    }
    for section in image.sections where section.isExecutable && section.bytes.count > 0 {
      try scan(section, without: foreign[section.index] ?? [], listsHidden: listsHidden)
    }
    sort()
  }

  private mutating func scanner(_ width: CodeWidth) -> CodeScanner {
    if let known = scanners[width] { return known }
    let made = CodeScanner(matcher: matcher, mode: width.decodingMode)
    scanners[width] = made
    return made
  }

  /// Scans an executable section, leaving out what stands in `foreign` ranges.
  private mutating func scan(
    _ section: ImageSection, without foreign: [Range<UInt64>], listsHidden: Bool
  ) throws(CapstoneError) {
    let code = section.bytes.buffer
    let starts = symbols.functionStarts(section: section.index).compactMap {
      Int(exactly: $0 &- section.address).flatMap { $0 < code.count ? $0 : nil }
    }
    let scanner = scanner(image.width)
    let (found, swept) = try scanner.scan(
      code, address: section.address, starts: starts, jobs: jobs)
    func isForeign(_ offset: Int) -> Bool {
      let address = section.address &+ UInt64(offset)
      return foreign.contains { $0.contains(address) }
    }
    bytes += code.count
    instructions += swept.instructions
    count(swept)
    addUndecodable(swept.undecodable.filter { !isForeign($0) }, section)
    for hit in found where !isForeign(hit.offset) {
      hits.append(
        PlacedHit(
          section: section.index, address: section.address &+ UInt64(hit.offset), hit: hit,
          width: image.width))
    }
    guard listsHidden else { return }
    for hit in try scanner.hidden(code, address: section.address, starts: starts)
    where !isForeign(hit.offset) {
      hits.append(
        PlacedHit(
          section: section.index, address: section.address &+ UInt64(hit.offset), hit: hit,
          width: image.width, isHidden: true))
    }
  }

  /// Scans a region and returns the ranges that it really covered.
  ///
  /// Nobody says where the code behind a boot entry ends, so that one is followed stretch by stretch.
  private mutating func scan(_ region: CodeRegion) throws(CapstoneError) -> [Range<UInt64>] {
    let section = image.sections[region.sectionIndex]
    guard let start = Int(exactly: region.range.lowerBound &- section.address),
      start < section.bytes.count
    else { return [] }
    let length = min(section.bytes.count - start, Int(clamping: region.range.count))
    let code = UnsafeRawBufferPointer(rebasing: section.bytes.buffer[start..<start + length])
    let scanner = scanner(region.width)
    let stretches =
      region.endIsKnown
      ? [0..<code.count] : EntryExtent.stretches(code, mode: region.width.decodingMode)
    var covered: [Range<UInt64>] = []
    for stretch in stretches {
      let base = region.range.lowerBound &+ UInt64(stretch.lowerBound)
      let part = UnsafeRawBufferPointer(rebasing: code[stretch])
      let (found, swept) = try scanner.scan(part, address: base, starts: [], jobs: 1)
      if region.isData {
        bytes += part.count
        instructions += swept.instructions
        count(swept)
      }
      for hit in found {
        hits.append(
          PlacedHit(
            section: section.index, address: base &+ UInt64(hit.offset), hit: hit,
            width: region.width, region: region))
      }
      covered.append(base..<base &+ UInt64(part.count))
    }
    return covered
  }

  private mutating func count(_ swept: SweepResult) {
    for (name, number) in [
      ("int3", swept.paddingInt3), ("ud0", swept.ud0), ("ud1", swept.ud1), ("ud2", swept.ud2),
    ] where number > 0 {
      traps[name, default: 0] += number
    }
  }

  private mutating func addUndecodable(_ offsets: [Int], _ section: ImageSection) {
    for offset in offsets.sorted() {
      let address = section.address &+ UInt64(offset)
      if let last = undecodable.last, last.section == section.index,
        last.address &+ UInt64(last.count) == address
      {
        undecodable[undecodable.count - 1].count += 1
      } else {
        undecodable.append(UndecodableRun(section: section.index, address: address, count: 1))
      }
    }
  }

  /// By address; in a relocatable file, where every section begins at 0, by section first.
  private mutating func sort() {
    let isRelocatable = image.isRelocatable
    hits.sort {
      isRelocatable
        ? ($0.section, $0.address) < ($1.section, $1.address)
        : ($0.address, $0.section) < ($1.address, $1.section)
    }
    undecodable.sort {
      isRelocatable
        ? ($0.section, $0.address) < ($1.section, $1.address)
        : ($0.address, $0.section) < ($1.address, $1.section)
    }
  }
}

extension CodeWidth {
  /// The decoder's mode for code of this width.
  var decodingMode: DecodingMode {
    switch self {
    case .bits16: .bits16
    case .bits32: .bits32
    case .bits64: .bits64
    }
  }
}
