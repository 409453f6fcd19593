// ELF images for the builder's tests, made byte by byte so that each field can be made wrong.

import HypervisorCore

/// A kernel image under construction.
struct ImageMaker {
  /// Notes by type; text ends with a zero byte.
  var notes: [(type: UInt32, value: [UInt8])] = []
  var entry: UInt64 = 0xffff_ffff_8000_0000
  /// The file's class; 32 bits for a kernel of ring 1.
  var is32Bit = false
  /// Segments: physical address, bytes, bytes in memory.
  var segments: [(address: UInt64, bytes: [UInt8], memorySize: UInt64)] = []
  /// Contents of a section `__xen_guest`, in place of notes.
  var guestSection: String?

  static func number(_ value: UInt64) -> [UInt8] { little(value, 8) }
  static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

  static func little(_ value: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  /// A kernel that loads: one page of code at VIRT_BASE.
  static func working() -> ImageMaker {
    var maker = ImageMaker()
    maker.notes = [
      (5, text("xen-3.0")), (8, text("generic")), (3, number(0xffff_ffff_8000_0000)),
      (4, number(0)), (1, number(0xffff_ffff_8000_0000)), (2, number(0xffff_ffff_8000_1000)),
    ]
    maker.segments = [(0, [UInt8](repeating: 0x90, count: 5000), 0x3000)]
    return maker
  }

  /// The same of 32 bits.
  static func working32(reservedStart: UInt64? = nil) -> ImageMaker {
    var maker = working()
    maker.is32Bit = true
    maker.entry = 0xc000_0000
    maker.notes = [
      (5, text("xen-3.0")), (8, text("generic")), (3, little(0xc000_0000, 4)),
      (4, little(0, 4)), (1, little(0xc000_0000, 4)), (2, little(0xc000_1000, 4)),
    ]
    // An image that says nothing of PAE has tables of two levels.
    maker.notes.append((9, text("yes")))
    if let reservedStart { maker.notes.append((12, little(reservedStart, 4))) }
    return maker
  }

  private var word: Int { is32Bit ? 4 : 8 }
  private var headerSize: Int { is32Bit ? 52 : 64 }
  private var programSize: Int { is32Bit ? 32 : 56 }

  /// The file: header, program headers, notes, segments, sections.
  func bytes() -> [UInt8] {
    let headerCount = segments.count + 1
    var body: [UInt8] = []
    let bodyStart = UInt64(headerSize + headerCount * programSize)
    for note in notes {
      body += Self.little(4, 4) + Self.little(UInt64(note.value.count), 4)
      body += Self.little(UInt64(note.type), 4) + [0x58, 0x65, 0x6e, 0] + note.value
      while body.count % 4 != 0 { body.append(0) }
    }
    var headers = header(4, bodyStart, 0, UInt64(body.count), UInt64(body.count))
    for segment in segments {
      headers += header(
        1, bodyStart + UInt64(body.count), segment.address, UInt64(segment.bytes.count),
        segment.memorySize)
      body += segment.bytes
    }
    var sectionTable: UInt64 = 0
    if let guestSection {
      let text = Array(guestSection.utf8)
      let names = [0] + Self.text("__xen_guest")
      let textStart = bodyStart + UInt64(body.count)
      body += text + names
      sectionTable = bodyStart + UInt64(body.count)
      body += section(1, textStart, UInt64(text.count))
      body += section(0, textStart + UInt64(text.count), UInt64(names.count))
    }
    var file: [UInt8] =
      [0x7f, 0x45, 0x4c, 0x46, is32Bit ? 1 : 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    file += Self.little(2, 2) + Self.little(is32Bit ? 3 : 62, 2) + Self.little(1, 4)
    file += Self.little(entry, word) + Self.little(UInt64(headerSize), word)
    file += Self.little(sectionTable, word) + Self.little(0, 4)
    file += Self.little(UInt64(headerSize), 2) + Self.little(UInt64(programSize), 2)
    file += Self.little(UInt64(headerCount), 2)
    file +=
      Self.little(is32Bit ? 40 : 64, 2) + Self.little(sectionTable > 0 ? 2 : 0, 2)
      + Self.little(1, 2)
    return file + headers + body
  }

  private func header(
    _ type: UInt64, _ offset: UInt64, _ address: UInt64, _ size: UInt64, _ memorySize: UInt64
  ) -> [UInt8] {
    let flags = Self.little(7, 4)
    let place =
      Self.little(offset, word) + Self.little(address, word) + Self.little(address, word)
      + Self.little(size, word) + Self.little(memorySize, word)
    let kind = Self.little(type, 4)
    let alignment = Self.little(4096, word)
    return is32Bit ? kind + place + flags + alignment : kind + flags + place + alignment
  }

  private func section(_ name: UInt64, _ offset: UInt64, _ size: UInt64) -> [UInt8] {
    let words = { (count: Int) in [UInt8](repeating: 0, count: count * word) }
    return Self.little(name, 4) + Self.little(1, 4) + words(2) + Self.little(offset, word)
      + Self.little(size, word) + Self.little(0, 8) + words(2)
  }
}
