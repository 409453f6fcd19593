// Builds small PV kernels, sound or broken in one place, byte by byte.

/// A kernel that shuts its domain down at once, with its notes.
struct KernelBuilder {
  struct Note {
    var type: UInt32
    var contents: [UInt8]
    var owner = "Xen"
  }

  static let base: UInt64 = 0xFFFF_FFFF_8000_0000
  static let physical: UInt64 = 0x10_0000
  static let start = base + physical
  /// The second page of the image.
  static let hypercallPage = start + 0x1000

  var is64Bit = true
  var machine: UInt16 = 62
  var entry = start
  var virtualAddress = start
  var physicalAddress = physical
  var fileSize: UInt64 = 0x3000
  var memorySize: UInt64 = 0x4000
  var hasNoteSegment = true
  var notes: [Note] = [
    .text(6, "sample"), .text(5, "xen-3.0"), .text(8, "generic"), .number(3, base),
    .number(4, 0), .number(1, start), .number(2, hypercallPage),
  ]
  /// How much of the file is kept.
  var keep: Int?

  /// Sets, replaces or (with `nil`) removes the notes of one type.
  func with(_ type: UInt32, _ note: Note?) -> Self {
    var changed = self
    changed.notes.removeAll { $0.type == type }
    if let note { changed.notes.append(note) }
    return changed
  }

  func changed(_ change: (inout Self) -> Void) -> Self {
    var builder = self
    change(&builder)
    return builder
  }

  /// The file: header, program headers, notes, and from offset 0x1000 the segment.
  func build() -> [UInt8] {
    var file = [UInt8](repeating: 0, count: 0x4000)
    var noteBytes: [UInt8] = []
    for note in notes {
      let owner = Array(note.owner.utf8) + [0]
      noteBytes += little(UInt32(owner.count)) + little(UInt32(note.contents.count))
      noteBytes += little(note.type) + padded(owner) + padded(note.contents)
    }
    put(&file, 0, [0x7F, 0x45, 0x4C, 0x46, is64Bit ? 2 : 1, 1, 1])
    put(&file, 16, little(UInt16(2)) + little(machine) + little(UInt32(1)))
    let segments: [[UInt64]] =
      [[1, 0x1000, virtualAddress, physicalAddress, fileSize, memorySize]]
      + (hasNoteSegment
        ? [[4, 0x200, 0, 0, UInt64(noteBytes.count), UInt64(noteBytes.count)]] : [])
    if is64Bit {
      put(&file, 24, little(entry) + little(UInt64(64)) + little(UInt64(0)))
      put(&file, 52, little(UInt16(64)) + little(UInt16(56)) + little(UInt16(segments.count)))
      for (index, segment) in segments.enumerated() {
        put(
          &file, 64 + index * 56,
          little(UInt32(segment[0])) + little(UInt32(7))
            + segment[1...].flatMap { little($0) } + little(UInt64(4)))
      }
    } else {
      put(&file, 24, little(low(entry)) + little(UInt32(52)) + little(UInt32(0)))
      put(&file, 40, little(UInt16(52)) + little(UInt16(32)) + little(UInt16(segments.count)))
      for (index, segment) in segments.enumerated() {
        put(
          &file, 52 + index * 32,
          ([segment[0]] + segment[1...]).flatMap { little(low($0)) } + little(UInt32(7))
            + little(UInt32(4)))
      }
    }
    put(&file, 0x200, noteBytes)
    // mov $2, %edi (shutdown); lea reason(%rip), %rsi; call slot 29 (sched_op); 1: pause; jmp 1b
    put(&file, 0x1000, [0xBF, 2, 0, 0, 0, 0x48, 0x8D, 0x35] + little(UInt32(0x100 - 12)))
    put(&file, 0x100C, [0xE8] + little(UInt32(0x1000 + 29 * 32 - 17)) + [0xF3, 0x90, 0xEB, 0xFC])
    return keep.map { Array(file.prefix($0)) } ?? file
  }

  private func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }

  private func put(_ file: inout [UInt8], _ offset: Int, _ bytes: [UInt8]) {
    for (index, byte) in bytes.enumerated() where offset + index < file.count {
      file[offset + index] = byte
    }
  }

  private func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
  }
}

func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
}

extension KernelBuilder.Note {
  static func text(_ type: UInt32, _ text: String) -> Self {
    Self(type: type, contents: Array(text.utf8) + [0])
  }

  static func number(_ type: UInt32, _ number: UInt64) -> Self {
    Self(type: type, contents: little(number))
  }

  static func short(_ type: UInt32, _ number: UInt32) -> Self {
    Self(type: type, contents: little(number))
  }
}
