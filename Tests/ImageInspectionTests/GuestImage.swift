// An ELF file that the tests can spoil in every way: its parts as values, put together at the end.

import Foundation

/// A PV kernel made of machine code and notes.
struct GuestImage {
  struct Segment {
    var type: UInt32 = 1
    var flags: UInt32 = 7
    var offset: UInt64
    var virtual: UInt64
    var physical: UInt64
    var fileSize: UInt64
    var memorySize: UInt64
  }

  struct Note {
    var owner: [UInt8] = Array("Xen\0".utf8)
    var type: UInt32
    var descriptor: [UInt8]
    /// Replaces the sizes that the header states.
    var statedSize: UInt32?
    var padding = 4

    static func quad(_ type: UInt32, _ value: UInt64, bytes: Int = 8) -> Self {
      let all = withUnsafeBytes(of: value.littleEndian) { Array($0) }
      let descriptor = (0..<bytes).map { $0 < 8 ? all[$0] : 0 }
      return Self(type: type, descriptor: descriptor)
    }

    static func text(_ type: UInt32, _ value: String) -> Self {
      Self(type: type, descriptor: Array(value.utf8) + [0])
    }
  }

  /// Where the notes are announced.
  enum Place { case segment, section, both, none }

  static let codeOffset: UInt64 = 0x2000
  static let noteOffset = 0x400
  static let physical: UInt64 = 0x20_0000
  static let base: UInt64 = 0xffff_ffff_8000_0000
  static let code = base + physical

  var is64 = true
  var fileClass: UInt8 = 2
  var order: UInt8 = 1
  var machine: UInt16 = 62
  var entry = code
  var segments: [Segment]
  var notes: [Note]
  var place = Place.segment
  /// What a PT_NOTE header says of the notes' offset, where that is not the truth.
  var notePlace: UInt64?
  /// Notes of their own for the section, where the segment has others.
  var sectionNotes: [Note]?
  var guestText: String?
  /// The page of code and the empty page behind it.
  var contents: [UInt8]

  /// A kernel without faults.
  init(code: [UInt8]) {
    contents = code + [UInt8](repeating: 0, count: 0x2000 - code.count)
    segments = [
      Segment(
        offset: Self.codeOffset, virtual: Self.code, physical: Self.physical, fileSize: 0x2000,
        memorySize: 0x3000)
    ]
    notes = [
      .text(6, "inspected"), .text(5, "xen-3.0"), .text(8, "generic"), .quad(3, Self.base),
      .quad(1, Self.code), .quad(2, Self.code + 0x1000),
    ]
  }

  /// Takes the notes of a type away.
  mutating func remove(_ type: UInt32) { notes.removeAll { $0.type == type } }

  /// Puts a note in place of those of its type.
  mutating func set(_ note: Note) {
    remove(note.type)
    notes.append(note)
  }

  /// Moves the kernel: where pseudo-physical 0 is mapped, and everything that follows from it.
  mutating func move(base: UInt64, physical: UInt64 = Self.physical, bytes: Int = 8) {
    let start = base &+ physical
    segments[0].virtual = start
    segments[0].physical = physical
    entry = start
    set(.quad(3, base, bytes: bytes))
    set(.quad(1, start, bytes: bytes))
    set(.quad(2, start &+ 0x1000, bytes: bytes))
  }

  /// Makes the headers those of a 32-bit file.
  mutating func narrow() {
    (is64, fileClass, machine) = (false, 1, 3)
    move(base: 0xc000_0000, bytes: 4)
  }

  /// The file.
  func build() -> [UInt8] {
    var headers = segments
    let noteBytes = Self.bytes(of: notes)
    if place == .segment || place == .both {
      headers.append(
        Segment(
          type: 4, flags: 4, offset: notePlace ?? UInt64(Self.noteOffset), virtual: 0, physical: 0,
          fileSize: UInt64(noteBytes.count), memorySize: UInt64(noteBytes.count)))
    }
    let sectionBytes = sectionNotes.map { Self.bytes(of: $0) } ?? noteBytes
    var tail = Self.codeOffset + UInt64(contents.count)
    let sectionNoteOffset = sectionNotes == nil ? UInt64(Self.noteOffset) : tail
    if sectionNotes != nil { tail += UInt64(sectionBytes.count) }
    let guest: [UInt8] = guestText.map { Array($0.utf8) + [0] } ?? []
    let guestOffset = tail
    tail += UInt64(guest.count)
    let names = Array("\0.shstrtab\0.note.Xen\0__xen_guest\0".utf8)
    let nameOffset = tail
    tail += UInt64(names.count)
    tail = (tail + 7) & ~7

    var file = ByteWriter()
    file.ident(fileClass, order)
    file.half(2)
    file.half(machine)
    file.long(1)
    file.word(entry, is64)
    file.word(is64 ? 64 : 52, is64)
    file.word(tail, is64)
    file.long(0)
    file.half(is64 ? 64 : 52)
    file.half(is64 ? 56 : 32)
    file.half(UInt16(headers.count))
    file.half(is64 ? 64 : 40)
    file.half(4)
    file.half(1)
    for header in headers { file.segment(header, is64) }
    file.pad(to: Self.noteOffset)
    if place != .none { file.bytes += noteBytes }
    file.pad(to: Int(Self.codeOffset))
    file.bytes += contents
    if sectionNotes != nil { file.bytes += sectionBytes }
    file.bytes += guest
    file.bytes += names
    file.pad(to: Int(tail))
    let isSection = place == .section || place == .both
    file.section(0, 0, 0, 0, is64)
    file.section(1, 3, nameOffset, UInt64(names.count), is64)
    file.section(11, isSection ? 7 : 1, sectionNoteOffset, UInt64(sectionBytes.count), is64)
    file.section(guest.isEmpty ? 0 : 21, 1, guestOffset, UInt64(guest.count), is64)
    return file.bytes
  }

  private static func bytes(of notes: [Note]) -> [UInt8] {
    var out = ByteWriter()
    for note in notes {
      out.long(UInt32(note.owner.count))
      out.long(note.statedSize ?? UInt32(note.descriptor.count))
      out.long(note.type)
      out.bytes += note.owner
      out.align(note.padding)
      out.bytes += note.descriptor
      out.align(note.padding)
    }
    return out.bytes
  }
}

/// Little-endian fields, one behind the other.
struct ByteWriter {
  var bytes: [UInt8] = []

  mutating func half(_ value: UInt16) { put(value) }
  mutating func long(_ value: UInt32) { put(value) }
  mutating func word(_ value: UInt64, _ is64: Bool) {
    if is64 { put(value) } else { put(UInt32(truncatingIfNeeded: value)) }
  }

  mutating func ident(_ fileClass: UInt8, _ order: UInt8) {
    bytes += [0x7f, 0x45, 0x4c, 0x46, fileClass, order, 1] + [UInt8](repeating: 0, count: 9)
  }

  mutating func segment(_ segment: GuestImage.Segment, _ is64: Bool) {
    long(segment.type)
    if is64 { long(segment.flags) }
    for value in [
      segment.offset, segment.virtual, segment.physical, segment.fileSize, segment.memorySize,
    ] { word(value, is64) }
    if !is64 { long(segment.flags) }
    word(segment.type == 1 ? 0x1000 : 4, is64)
  }

  mutating func section(
    _ name: UInt32, _ type: UInt32, _ offset: UInt64, _ size: UInt64, _ is64: Bool
  ) {
    long(name)
    long(type)
    word(0, is64)
    word(0, is64)
    word(offset, is64)
    word(size, is64)
    long(0)
    long(0)
    word(1, is64)
    word(0, is64)
  }

  mutating func align(_ unit: Int) {
    while bytes.count % unit != 0 { bytes.append(0) }
  }

  mutating func pad(to offset: Int) {
    while bytes.count < offset { bytes.append(0) }
  }

  private mutating func put(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
