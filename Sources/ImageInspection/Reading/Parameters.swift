// What the notes (or the older text) amount to for a PV or PVH loader, before any judgement.

/// The loader's view of an image's wishes.
struct Parameters: Sendable, Equatable {
  var isLegacy = false
  var virtBase: UInt64?
  var entry: UInt64?
  var hypercallPage: UInt64?
  var paddrOffset: UInt64?
  var hvStartLow: UInt64?
  var initP2M: UInt64?
  var physicalEntry: UInt64?
  var xenVersion = ""
  var guestOS = ""
  var guestVersion = ""
  var loader = ""
  var paeMode = ""
  var loadsSymbols = false
  var leavesRamdiskUnmapped = false
  /// Names in the feature text, without and with `!`.
  var features: [String] = []
  var requiredFeatures: [String] = []
  /// The number in SUPPORTED_FEATURES.
  var supportedMap: UInt64?

  mutating func setFeatures(_ text: String) {
    for part in text.split(separator: "|", maxSplits: 256) {
      if part.first == "!" {
        requiredFeatures.append(String(part.dropFirst()))
      } else {
        features.append(String(part))
      }
    }
  }

  /// A name of the old text and its value; a name that no loader knows changes nothing.
  mutating func set(legacy name: String, _ value: String) {
    isLegacy = true
    switch name {
    case "LOADER": loader = value
    case "GUEST_OS": guestOS = value
    case "GUEST_VER": guestVersion = value
    case "XEN_VER": xenVersion = value
    case "PAE": paeMode = value.hasPrefix("yes") ? "yes" : value
    case "BSD_SYMTAB": loadsSymbols = true
    case "VIRT_BASE": virtBase = LoaderText.number(value)
    case "VIRT_ENTRY": entry = LoaderText.number(value)
    case "ELF_PADDR_OFFSET": paddrOffset = LoaderText.number(value)
    // A page number, which counts from VIRT_BASE; see `finishLegacy`.
    case "HYPERCALL_PAGE": hypercallPage = LoaderText.number(value)
    case "FEATURES": setFeatures(value)
    default: break
    }
  }

  /// Turns the page number of an old text into an address, whatever the order of its pairs was.
  mutating func finishLegacy() {
    hypercallPage = hypercallPage.map { ($0 << 12) &+ (virtBase ?? 0) }
  }

  /// The pairs of an old text, in order.
  static func legacyPairs(_ text: String) -> [(name: String, value: String)] {
    text.split(separator: ",", maxSplits: 256).map { part in
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(pair[0]), pair.count > 1 ? String(pair[1]) : "")
    }
  }
}
