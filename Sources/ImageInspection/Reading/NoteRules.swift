// The part of the interface that judges images, taken out of the embedded abi/: note names, forms
// and accepted texts, the hypervisor's range, sizes. No rule of abi/ is written a second time here.

import ABISchema

/// What abi/ says about images.
struct NoteRules: Sendable {
  /// Names that the judgement asks for.
  enum Name {
    static let entry = "XEN_ELFNOTE_ENTRY"
    static let hypercallPage = "XEN_ELFNOTE_HYPERCALL_PAGE"
    static let virtBase = "XEN_ELFNOTE_VIRT_BASE"
    static let paddrOffset = "XEN_ELFNOTE_PADDR_OFFSET"
    static let xenVersion = "XEN_ELFNOTE_XEN_VERSION"
    static let guestOS = "XEN_ELFNOTE_GUEST_OS"
    static let guestVersion = "XEN_ELFNOTE_GUEST_VERSION"
    static let loader = "XEN_ELFNOTE_LOADER"
    static let paeMode = "XEN_ELFNOTE_PAE_MODE"
    static let features = "XEN_ELFNOTE_FEATURES"
    static let symbols = "XEN_ELFNOTE_BSD_SYMTAB"
    static let hvStartLow = "XEN_ELFNOTE_HV_START_LOW"
    static let initP2M = "XEN_ELFNOTE_INIT_P2M"
    static let modStartPFN = "XEN_ELFNOTE_MOD_START_PFN"
    static let supportedFeatures = "XEN_ELFNOTE_SUPPORTED_FEATURES"
    static let physicalEntry = "XEN_ELFNOTE_PHYS32_ENTRY"
  }

  private let notes: [UInt32: ELFNote]
  private let byName: [String: ELFNote]
  private let abi: ABI

  init(_ abi: ABI) {
    self.abi = abi
    var notes: [UInt32: ELFNote] = [:]
    var byName: [String: ELFNote] = [:]
    for note in abi.subjects.flatMap(\.notes) {
      if let number = UInt32(exactly: note.number) { notes[number] = note }
      byName[note.entry.name] = note
    }
    self.notes = notes
    self.byName = byName
  }

  func note(_ type: UInt32) -> ELFNote? { notes[type] }

  func number(of name: String) -> UInt32? {
    byName[name].flatMap { UInt32(exactly: $0.number) }
  }

  /// The texts that the loader acts on in the note of this name.
  func accepts(_ name: String) -> [String] { byName[name]?.accepts ?? [] }

  func isRequired(_ name: String) -> Bool { byName[name]?.isRequired ?? false }

  /// A constant's value, as an address.
  func address(_ name: String, _ architecture: Architecture) -> UInt64 {
    let value = abi.constant(name)?.values[architecture]?.integer
    return value.flatMap { UInt64(exactly: $0) } ?? 0
  }

  /// A bit of the feature map, by the name that a note writes.
  func featureBit(_ name: String) -> UInt64? {
    abi.constant("XENFEAT_" + name)?.values.any?.integer.flatMap { UInt64(exactly: $0) }
  }

  func size(_ structure: String, _ architecture: Architecture) -> UInt64 {
    UInt64(abi.layout(structure, architecture)?.size ?? 0)
  }
}
