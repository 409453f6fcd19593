// The notes as such: are they there, whole, of the right form, and does anybody know them?

import ABISchema

extension Judge {
  mutating func judgeNotes() {
    if !table.hasXenNotes, table.guestText == nil {
      let other = table.notes.isEmpty ? "no note at all" : "\(table.notes.count) notes of others"
      add(
        "no-notes", .refused, "ELF notes",
        expected: "notes with owner \"Xen\" in a PT_NOTE segment", found: other,
        cure: "add a section .note.Xen, allocated and of type @note, and keep it: "
          + "KEEP(*(.note.Xen)) with a PT_NOTE header; `xenograft abi show note-example` has one")
    }
    if parameters.isLegacy {
      add(
        "old-text", .advice, "__xen_guest", expected: "ELF notes with owner \"Xen\"",
        found: "the older text, which only a PV loader of Xen reads",
        cure: "write notes: `xenograft abi show note-example`")
    }
    for index in table.skippedSegments {
      add(
        "note-segment-skipped", .advice, "segment \(index)",
        expected: "a PT_NOTE header with the file offset of the notes", found: "offset 0",
        cure: "link with a newer linker; Xen skips the segment and looks in sections")
    }
    for note in table.truncated {
      add(
        "note-truncated", .risk, label(note), expected: "a note inside its \(note.source)",
        found: "\(note.size) bytes of contents at \(hexadecimal(note.descriptorOffset))",
        cure: "state the descriptor's own size in the note's second word, "
          + "and pad name and descriptor to 4 bytes")
    }
    for note in notes { judge(note) }
  }

  private func label(_ note: RawNote) -> String {
    let name = note.owner == "Xen" ? rules.note(note.type)?.entry.name : nil
    return name ?? "note of type \(note.type), owner \"\(note.owner)\""
  }

  private mutating func judge(_ note: InspectedNote) {
    guard let type = note.type else { return }
    let name = note.name ?? "note of type \(type), owner \"\(note.owner)\""
    switch note.use {
    case .used: judgeForm(note, name)
    case .overridden:
      add(
        "note-twice", .advice, name, expected: "each type once",
        found: "another one behind it, which counts", cure: "remove this one")
    case .unreadable:
      add(
        "note-size", .advice, name, expected: "1, 2, 4 or 8 bytes",
        found: "\(note.size) bytes, which are read as 0",
        cure: "write the number with .quad in a 64-bit kernel, .long in a 32-bit one")
    case .ignored:
      if note.owner == "Xen" {
        add(
          "note-unknown", .advice, name,
          expected: "a type that Xen knows, see `xenograft abi show elf-notes`",
          found: "type \(type)", cure: "remove the note or correct its type; Xen ignores it")
      } else if note.owner.lowercased() == "xen" {
        add(
          "note-owner", .advice, name, expected: "owner \"Xen\"", found: "\"\(note.owner)\"",
          cure: "write the owner as .asciz \"Xen\", name size 4; Xen ignores this note")
      }
    }
  }

  /// Reads well, and still is not what the writer can have meant.
  private mutating func judgeForm(_ note: InspectedNote, _ name: String) {
    switch note.value {
    case .text(let text) where text.utf8.count >= Int(note.size):
      // Padding often ends the text; what follows the note is read where it does not.
      let isLonger = text.utf8.count > Int(note.size)
      add(
        "note-text-open", isLonger ? .risk : .advice, name,
        expected: "text that ends with a zero byte",
        found: "\(note.size) bytes without one; "
          + (isLonger ? "Xen reads on behind the note" : "the padding ends it"),
        cure: "write the text with .asciz and count the zero byte in the note's size")
    case .number where is64 && note.size < 4:
      add(
        "note-number-short", .advice, name, expected: "4 or 8 bytes", found: "\(note.size)",
        cure: "write the number with .quad")
    default: break
    }
  }
}
