// From raw notes to decoded ones and to the parameters that they set. The forms come from abi/.

import ABISchema
import KernelImage

/// Decodes an image's notes.
struct NoteDecoder {
  typealias Name = NoteRules.Name

  let rules: NoteRules
  let bytes: ImageBytes
  private(set) var parameters = Parameters()
  private(set) var notes: [InspectedNote] = []

  init(_ table: NoteTable, rules: NoteRules, bytes: ImageBytes) {
    self.rules = rules
    self.bytes = bytes
    if let text = table.guestText, !table.hasXenNotes {
      readLegacy(text, offset: table.guestTextOffset)
      for raw in table.notes { notes.append(inspected(raw, name: nil, .ignored)) }
      return
    }
    for (index, raw) in table.notes.enumerated() {
      guard raw.owner == "Xen", let note = rules.note(raw.type) else {
        notes.append(inspected(raw, name: nil, .ignored))
        continue
      }
      let isLast = !table.notes[(index + 1)...].contains {
        $0.owner == "Xen" && $0.type == raw.type
      }
      read(raw, note, isLast: isLast)
    }
  }

  private mutating func read(_ raw: RawNote, _ note: ELFNote, isLast: Bool) {
    let name = note.entry.name
    var result = inspected(raw, name: name, isLast ? .used : .overridden)
    switch note.value {
    case "string":
      if let text = LoaderText.text(in: bytes, at: raw.descriptorOffset) {
        result.value = .text(text)
        set(name, text: text)
      } else {
        result.use = .unreadable
      }
    case "numeric":
      let number = number(raw)
      if number == nil { result.use = .unreadable }
      result.value = .number(number ?? 0)
      set(name, number: number ?? 0)
    default: break
    }
    notes.append(result)
  }

  /// Loaders read descriptors of four sizes.
  private func number(_ raw: RawNote) -> UInt64? {
    let at = raw.descriptorOffset
    return switch raw.size {
    case 1: bytes.load(at: at, as: UInt8.self).map(UInt64.init)
    case 2: bytes.load(at: at, as: UInt16.self).map(UInt64.init)
    case 4: bytes.load(at: at, as: UInt32.self).map(UInt64.init)
    case 8: bytes.load(at: at)
    default: nil
    }
  }

  private mutating func set(_ name: String, text: String) {
    switch name {
    case Name.xenVersion: parameters.xenVersion = text
    case Name.guestOS: parameters.guestOS = text
    case Name.guestVersion: parameters.guestVersion = text
    case Name.loader: parameters.loader = text
    case Name.paeMode: parameters.paeMode = text
    case Name.features: parameters.setFeatures(text)
    case Name.symbols:
      if rules.accepts(name).contains(text) { parameters.loadsSymbols = true }
    default: break
    }
  }

  private mutating func set(_ name: String, number: UInt64) {
    switch name {
    case Name.entry: parameters.entry = number
    case Name.hypercallPage: parameters.hypercallPage = number
    case Name.virtBase: parameters.virtBase = number
    case Name.paddrOffset: parameters.paddrOffset = number
    case Name.hvStartLow: parameters.hvStartLow = number
    case Name.initP2M: parameters.initP2M = number
    case Name.modStartPFN: parameters.leavesRamdiskUnmapped = number != 0
    case Name.supportedFeatures: parameters.supportedMap = number
    case Name.physicalEntry: parameters.physicalEntry = number & 0xffff_ffff
    default: break
    }
  }

  private mutating func readLegacy(_ text: String, offset: UInt64) {
    for pair in Parameters.legacyPairs(text) {
      parameters.set(legacy: pair.name, pair.value)
      notes.append(
        InspectedNote(
          name: pair.name, owner: "__xen_guest", type: nil, value: .text(pair.value),
          size: UInt32(clamping: pair.value.utf8.count), offset: offset,
          source: "section __xen_guest", use: .used))
    }
    parameters.finishLegacy()
  }

  private func inspected(
    _ raw: RawNote, name: String?, _ use: InspectedNote.Use
  ) -> InspectedNote {
    // Sizes come from the file; what is shown of strange notes is bounded.
    let shown = raw.descriptor.map { Array($0.buffer.prefix(64)) } ?? []
    return InspectedNote(
      name: name, owner: raw.owner, type: raw.type, value: .bytes(shown), size: raw.size,
      offset: raw.offset, source: raw.source, use: use)
  }
}
