// What the notes of owner "Xen" say, decoded as Xen's loader decodes them.

import ABISchema

/// One note as a reader wants to see it.
public struct DecodedNote: Sendable, Equatable {
  public var number: UInt32
  /// The name in abi/; `nil` for a type that abi/ does not know.
  public var name: String?
  /// The value as text or hexadecimal number.
  public var value: String
  public var place: String
}

/// The notes' values.
struct XenParameters {
  var decoded: [DecodedNote] = []
  var findings: [BootFinding] = []
  private(set) var numbers: [UInt32: UInt64] = [:]
  private(set) var texts: [UInt32: String] = [:]

  init(_ notes: [BootNote], abi: ABI) {
    let known = Dictionary(
      abi.subjects.flatMap(\.notes).map { (UInt32(truncatingIfNeeded: $0.number), $0) },
      uniquingKeysWith: { first, _ in first })
    for note in notes {
      let entry = known[note.type]
      if entry?.value == "string" {
        readText(note, entry)
      } else {
        readNumber(note, entry)
      }
    }
  }

  private mutating func readText(_ note: BootNote, _ entry: ELFNote?) {
    let name = entry?.entry.name ?? "type \(note.type)"
    if note.text.utf8.count > note.contents.count {
      findings.append(
        BootFinding(
          .warning, name, expected: "text that ends with a zero byte",
          found: "none in its \(note.contents.count) bytes, so that the loader reads on behind it",
          cure: "use .asciz, and count the zero in the descriptor's size"))
    }
    if texts[note.type] != nil { findings.append(twice(name)) }
    texts[note.type] = note.text
    decoded.append(
      DecodedNote(
        number: note.type, name: entry?.entry.name, value: "\"\(note.text)\"", place: note.place))
  }

  private mutating func readNumber(_ note: BootNote, _ entry: ELFNote?) {
    let name = entry?.entry.name ?? "type \(note.type)"
    var value: UInt64 = 0
    if [1, 2, 4, 8].contains(note.contents.count) {
      for (index, byte) in note.contents.enumerated() { value |= UInt64(byte) << UInt64(index * 8) }
    } else if entry?.value == "numeric" {
      findings.append(
        BootFinding(
          .warning, name, expected: "a number of 1, 2, 4 or 8 bytes",
          found: "\(note.contents.count) bytes, which the loader reads as 0",
          cure: "use .quad (64-bit) or .long (32-bit) for the value"))
    }
    guard entry != nil else {
      decoded.append(
        DecodedNote(
          number: note.type, name: nil, value: "\(note.contents.count) bytes", place: note.place))
      return
    }
    if numbers[note.type] != nil { findings.append(twice(name)) }
    numbers[note.type] = value
    decoded.append(
      DecodedNote(
        number: note.type, name: entry?.entry.name, value: hexadecimal(value), place: note.place))
  }

  private func twice(_ name: String) -> BootFinding {
    BootFinding(
      .warning, name, expected: "the note once", found: "it again; the last one counts",
      cure: "remove one of the two")
  }

  var entry: UInt64? { numbers[1] }
  var hypercallPage: UInt64? { numbers[2] }
  var virtualBase: UInt64? { numbers[3] }
  var physicalOffset: UInt64? { numbers[4] }
  var xenVersion: String? { texts[5] }
  var guestOS: String? { texts[6] }
  var loader: String? { texts[8] }
  var paeMode: String? { texts[9] }
  var features: String? { texts[10] }
  var holeStart: UInt64? { numbers[12] }
  var initialP2M: UInt64? { numbers[15] }
  var supportedFeatures: UInt64? { numbers[17] }
  var physicalEntry: UInt64? { numbers[18] }
}

func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
