// Where Xen looks for notes, and in which order: PT_NOTE segments, then SHT_NOTE sections, then the
// older section `__xen_guest`. See the topic loader-demands of abi/elf-notes.yaml.

import KernelImage

/// A note as it stands in the file.
struct RawNote: Sendable {
  var owner: String
  var type: UInt32
  /// File offset of the note's header, and of its descriptor.
  var offset: UInt64
  var descriptorOffset: UInt64
  var size: UInt32
  /// The part of the file that it was found in.
  var source: String
  /// The descriptor; `nil` where it reaches past the end of the file.
  var descriptor: ImageBytes?
}

/// All notes that a loader finds.
struct NoteTable: Sendable {
  /// More notes than this are not read; Xen stops at 65536 and calls the file broken.
  private static let limit = 65_536

  var notes: [RawNote] = []
  /// The `__xen_guest` text, where the loader falls back on it.
  var guestText: String?
  /// File offset of that text.
  var guestTextOffset: UInt64 = 0
  /// A note whose header or contents reach past its segment or the file.
  var truncated: [RawNote] = []
  /// PT_NOTE headers at file offset 0, which Xen skips.
  var skippedSegments: [Int] = []

  init(_ elf: ElfView) {
    for segment in elf.segments where segment.type == ElfView.Segment.note {
      guard segment.offset != 0 else {
        skippedSegments.append(segment.index)
        continue
      }
      read(
        elf.bytes, segment.offset, segment.fileSize, "PT_NOTE segment \(segment.index)")
    }
    if hasXenNotes { return }
    for section in elf.sections.dropFirst() where section.type == ElfView.Section.note {
      read(elf.bytes, section.offset, section.size, "SHT_NOTE section \(section.index)")
    }
    if hasXenNotes { return }
    if let section = elf.section(named: "__xen_guest") {
      guestText = LoaderText.text(in: elf.bytes, at: section.offset)
      guestTextOffset = section.offset
    }
  }

  /// The notes of Xen's.
  var xen: [RawNote] { notes.filter { $0.owner == "Xen" } }
  var hasXenNotes: Bool { notes.contains { $0.owner == "Xen" } }

  private mutating func read(
    _ bytes: ImageBytes, _ start: UInt64, _ size: UInt64, _ source: String
  ) {
    let (end, overflow) = start.addingReportingOverflow(size)
    guard !overflow else { return }
    var position = start
    // Each turn moves on by at least the 12 bytes of a header.
    while position < end, notes.count < Self.limit, let nameSize: UInt32 = bytes.load(at: position),
      let size: UInt32 = bytes.load(at: position + 4),
      let type: UInt32 = bytes.load(at: position + 8)
    {
      let name = position + 12
      let descriptor = name + Self.padded(nameSize)
      let note = RawNote(
        owner: LoaderText.text(in: bytes, at: name) ?? "", type: type, offset: position,
        descriptorOffset: descriptor, size: size, source: source,
        descriptor: bytes.slice(descriptor, count: UInt64(size)))
      notes.append(note)
      position = descriptor + Self.padded(size)
      // Padding behind the last note may be missing.
      if descriptor + UInt64(size) > end || note.descriptor == nil { truncated.append(note) }
    }
  }

  // Numbers of 32 bits, so sums with a position inside the file cannot wrap.
  private static func padded(_ size: UInt32) -> UInt64 { (UInt64(size) + 3) & ~3 }
}
