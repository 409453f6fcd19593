// Which relocation table of a relocatable file belongs to which section.

import CElfutils

extension ElfReader {
  mutating func readRelocations() {
    guard contents.isRelocatable else { return }
    contents.relocations.is64 = contents.format == .elf64
    contents.relocations.places = places
    // Tables that share bytes would multiply the work; no assembler writes them.
    var budget = bytes.count
    for header in headers {
      let hasAddends = header.sh_type == GElf_Word(SHT_RELA)
      guard hasAddends || header.sh_type == GElf_Word(SHT_REL),
        let section = place(header.sh_info), contents.sections[section].isAllocated,
        let symbols = self.header(header.sh_link), let names = self.header(symbols.sh_link),
        let entryBytes = content(header), let symbolBytes = content(symbols),
        let nameBytes = content(names), entryBytes.count <= budget
      else { continue }
      budget -= entryBytes.count
      contents.relocations.tables[section, default: []].append(
        RelocationTables.Table(
          entries: entryBytes, symbols: symbolBytes, names: nameBytes,
          hasAddends: hasAddends))
    }
  }

  private func header(_ index: GElf_Word) -> GElf_Shdr? {
    guard let index = Int(exactly: index), headers.indices.contains(index) else { return nil }
    return headers[index]
  }

  private func place(_ index: GElf_Word) -> Int? {
    guard let index = Int(exactly: index), places.indices.contains(index) else { return nil }
    return places[index]
  }

  private func content(_ header: GElf_Shdr) -> ImageBytes? {
    guard header.sh_type != GElf_Word(SHT_NOBITS) else { return nil }
    return bytes.slice(header.sh_offset, count: header.sh_size)
  }
}
