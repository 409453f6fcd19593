// ELF images for the builder's tests, made byte by byte so that each field can be made wrong.

import HypervisorCore

/// A kernel image under construction.
struct ImageMaker {
  /// Notes by type; text ends with a zero byte.
  var notes: [(type: UInt32, value: [UInt8])] = []
  var entry: UInt64 = 0xffff_ffff_8000_0000
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

  /// The file: header, program headers, notes, segments, sections.
  func bytes() -> [UInt8] {
    let headerCount = segments.count + 1
    var body: [UInt8] = []
    let bodyStart = UInt64(64 + headerCount * 56)
    for note in notes {
      body += Self.little(4, 4) + Self.little(UInt64(note.value.count), 4)
      body += Self.little(UInt64(note.type), 4) + [0x58, 0x65, 0x6e, 0] + note.value
      while body.count % 4 != 0 { body.append(0) }
    }
    var headers = Self.header(4, bodyStart, 0, UInt64(body.count), UInt64(body.count))
    for segment in segments {
      headers += Self.header(
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
      body += Self.section(1, textStart, UInt64(text.count))
      body += Self.section(0, textStart + UInt64(text.count), UInt64(names.count))
    }
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    file += Self.little(2, 2) + Self.little(62, 2) + Self.little(1, 4) + Self.little(entry, 8)
    file += Self.little(64, 8) + Self.little(sectionTable, 8) + Self.little(0, 4)
    file += Self.little(64, 2) + Self.little(56, 2) + Self.little(UInt64(headerCount), 2)
    file += Self.little(64, 2) + Self.little(sectionTable > 0 ? 2 : 0, 2) + Self.little(1, 2)
    return file + headers + body
  }

  private static func header(
    _ type: UInt64, _ offset: UInt64, _ address: UInt64, _ size: UInt64, _ memorySize: UInt64
  ) -> [UInt8] {
    little(type, 4) + little(7, 4) + little(offset, 8) + little(address, 8) + little(address, 8)
      + little(size, 8) + little(memorySize, 8) + little(4096, 8)
  }

  private static func section(_ name: UInt64, _ offset: UInt64, _ size: UInt64) -> [UInt8] {
    little(name, 4) + little(1, 4) + little(0, 16) + little(offset, 8) + little(size, 8)
      + little(0, 24)
  }
}
