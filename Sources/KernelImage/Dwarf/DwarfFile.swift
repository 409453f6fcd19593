// The debugging sections of a file, ready for the readers of this folder. libelf reads the container,
// zlib and zstd the compressed sections; the tables inside are read here and not by libdw: it keeps
// every row that a line program makes, so that 59 kB of packed debugging information make it ask for
// 4 GB, upon which it ends the process. The readers here keep no more than they are asked for.

import CElfutils

/// The debugging sections of one ELF file, read-only once made.
///
/// `@unchecked Sendable`: the bytes belong to `owner`, which nothing writes to after `init`.
final class DwarfFile: @unchecked Sendable {
  let path: String
  let info: DwarfSection
  let abbreviations: DwarfSection
  let aranges: DwarfSection
  let lines: DwarfSection
  let strings: DwarfSection
  let lineStrings: DwarfSection
  let stringOffsets: DwarfSection
  let addresses: DwarfSection
  let ranges: DwarfSection
  let rangeLists: DwarfSection
  let symbols: DwarfSymbols
  /// Names of functions or of files stand in another file, which is not read (`dwz -m`).
  let hasAlternateFile: Bool
  /// Address given to each section of a relocatable file, by ELF section index; else empty.
  let sectionBases: [UInt64]
  /// Names of the sections, by ELF section index.
  let sectionNames: [String]
  private let owner: AnyObject?

  /// The debugging sections of an open file.
  init(_ elf: DwarfElf) throws(ImageError) {
    path = elf.path
    owner = elf
    sectionNames = elf.sections.map(\.name)
    sectionBases = elf.isRelocatable ? Self.layOut(elf.sections) : []
    let bases = sectionBases
    func section(_ name: String) throws(ImageError) -> DwarfSection {
      guard
        let index = elf.section(named: ".debug_" + name) ?? elf.section(named: ".zdebug_" + name)
      else { return DwarfSection() }
      return DwarfSection(
        bytes: try elf.contents(of: index),
        relocations: try DwarfRelocations(of: index, in: elf, sectionBases: bases))
    }
    info = try section("info")
    abbreviations = try section("abbrev")
    aranges = try section("aranges")
    lines = try section("line")
    strings = try section("str")
    lineStrings = try section("line_str")
    stringOffsets = try section("str_offsets")
    addresses = try section("addr")
    ranges = try section("ranges")
    rangeLists = try section("rnglists")
    symbols = try DwarfSymbols(elf, sectionBases: bases)
    hasAlternateFile = elf.section(named: ".gnu_debugaltlink") != nil
  }

  /// Sections that did not come from a file; the caller keeps their bytes.
  init(
    path: String, info: DwarfSection, abbreviations: DwarfSection,
    lines: DwarfSection = DwarfSection()
  ) {
    self.path = path
    self.info = info
    self.abbreviations = abbreviations
    self.lines = lines
    aranges = DwarfSection()
    strings = DwarfSection()
    lineStrings = DwarfSection()
    stringOffsets = DwarfSection()
    addresses = DwarfSection()
    ranges = DwarfSection()
    rangeLists = DwarfSection()
    symbols = DwarfSymbols()
    hasAlternateFile = false
    sectionBases = []
    sectionNames = []
    owner = nil
  }

  /// There are entries to search.
  var hasEntries: Bool { !info.bytes.isEmpty && !abbreviations.bytes.isEmpty }

  /// All bytes that the readers may go through, by which the work is limited.
  var size: Int {
    [
      info, abbreviations, aranges, lines, strings, lineStrings, stringOffsets, addresses, ranges,
      rangeLists,
    ]
    .reduce(0) { $0 + $1.bytes.count }
  }

  /// Gives each section of a relocatable file addresses of its own, so that one number says which
  /// section and where in it.
  private static func layOut(_ sections: [DwarfElfSection]) -> [UInt64] {
    var next: UInt64 = 0x1_0000
    return sections.map { section in
      guard section.flags & UInt64(SHF_ALLOC) != 0 else { return 0 }
      let base = next
      // 4 GiB hold any module, and 32-bit entries cannot name more; a section that claims more
      // shares its addresses with the next and is the file's own loss.
      let size = min(section.size, 1 << 30)
      let (end, overflow) = base.addingReportingOverflow((size + 0xffff) & ~0xfff)
      if !overflow { next = end }
      return base
    }
  }

  /// What a broken table looks like to the user.
  func malformed(_ expected: String, _ found: String) -> ImageError {
    .malformed(path, expected, found)
  }
}

extension DwarfRelocations {
  /// The relocations of section `index`; `nil` where the file has none for it.
  fileprivate init?(
    of index: Int, in elf: DwarfElf, sectionBases: [UInt64]
  ) throws(ImageError) {
    let types = [UInt32(SHT_RELA), UInt32(SHT_REL)]
    guard elf.isRelocatable,
      let table = elf.sections.firstIndex(where: { $0.info == index && types.contains($0.type) })
    else { return nil }
    self.init(
      entries: try elf.storedBytes(of: table),
      hasAddends: elf.sections[table].type == UInt32(SHT_RELA), is64: elf.is64,
      symbols: try elf.storedBytes(of: elf.sections[table].link), sectionBases: sectionBases)
  }
}
