// ELF notes: the build id, and the entries that Xen's and multiboot's boot protocols name.

import CElfutils

/// One note: who defines it, which of theirs it is, and what it says.
struct ElfNote {
  var owner: String
  var type: UInt32
  var description: ImageBytes

  /// The most notes that are read of one section.
  private static let limit = 1024

  /// The notes in a section or segment, as far as they are whole.
  static func all(in bytes: ImageBytes) -> [Self] {
    var notes: [Self] = []
    var position = 0
    // Each turn moves on by at least the 12 bytes of a note's header.
    while notes.count < limit, let nameSize: UInt32 = bytes.load(position),
      let size: UInt32 = bytes.load(position + 4), let type: UInt32 = bytes.load(position + 8)
    {
      let name = position + 12
      let start = name + padded(nameSize)
      guard let description = bytes.slice(UInt64(start), count: UInt64(size)) else { break }
      if let owner = bytes.string(at: name, limit: Int(nameSize)) {
        notes.append(Self(owner: owner, type: type, description: description))
      }
      position = start + padded(size)
    }
    return notes
  }

  private static func padded(_ size: UInt32) -> Int { (Int(size) + 3) & ~3 }
}

extension ElfReader {
  mutating func readNotesAndEntries(_ header: ElfHeader) {
    let notes = self.notes()
    contents.buildID = notes.first { note in
      note.owner == "GNU" && note.type == UInt32(NT_GNU_BUILD_ID)
        && (1...64).contains(note.description.count)
    }.map { hexadecimalDigits($0.description.buffer) }
    guard contents.width != .bits32, !contents.isRelocatable else { return }
    // Xen's note 18, PHYS32_ENTRY: the physical address that PVH enters in 32-bit mode.
    if let note = notes.first(where: { $0.owner == "Xen" && $0.type == 18 }),
      let entry = note.description.load(0, as: UInt64.self)
        ?? note.description.load(0, as: UInt32.self).map(UInt64.init)
    {
      appendEntry(entry, origin: "PVH entry note")
    }
    // The headers stand early in the file that boots. Where that is made of this file later, as
    // Xen's is, they stand early in the first segment.
    let places = [bytes] + firstSegment()
    if places.contains(where: { Multiboot.header(in: $0) != nil }) {
      appendEntry(header.entry, origin: "multiboot header")
    }
    if let second = places.lazy.compactMap({ Multiboot2.header(in: $0) }).first {
      appendEntry(second.entry ?? header.entry, origin: "multiboot 2 header")
    }
  }

  private func firstSegment() -> [ImageBytes] {
    guard let segment = segments.first(where: { $0.p_type == GElf_Word(PT_LOAD) }),
      let content = bytes.slice(segment.p_offset, count: segment.p_filesz)
    else { return [] }
    return [content]
  }

  private func notes() -> [ElfNote] {
    var ranges = headers.filter { $0.sh_type == GElf_Word(SHT_NOTE) }
      .map { ($0.sh_offset, $0.sh_size) }
    if ranges.isEmpty {
      ranges = segments.filter { $0.p_type == GElf_Word(PT_NOTE) }.map {
        ($0.p_offset, $0.p_filesz)
      }
    }
    // A note is at least 12 bytes; the limit stops many headers that name the same bytes.
    var budget = bytes.count
    var notes: [ElfNote] = []
    for (offset, size) in ranges {
      guard let slice = bytes.slice(offset, count: size), slice.count <= budget else { continue }
      budget -= slice.count
      notes += ElfNote.all(in: slice)
    }
    return notes
  }

  /// Adds a 32-bit entry at a physical address, which the program headers turn into a virtual one.
  private mutating func appendEntry(_ physical: UInt64, origin: String) {
    let address = virtualAddress(of: physical)
    let isCode = contents.sections.contains { section in
      section.isAllocated && address >= section.address
        && address - section.address < section.size
    }
    guard isCode else {
      contents.remarks.append(
        "the \(origin) names \(hexadecimal(physical)), which no section holds")
      return
    }
    contents.entries.append(CodeEntry(address: address, width: .bits32, origin: origin))
  }

  private func virtualAddress(of physical: UInt64) -> UInt64 {
    for segment in segments where segment.p_type == GElf_Word(PT_LOAD) {
      if physical >= segment.p_paddr, physical - segment.p_paddr < segment.p_memsz {
        return segment.p_vaddr &+ (physical - segment.p_paddr)
      }
    }
    return physical
  }
}
