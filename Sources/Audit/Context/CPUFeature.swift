// The condition on which an alternative is patched in: a numbered CPU feature, or its absence.

/// A condition of `.altinstructions`.
struct CPUFeature: Sendable, Hashable {
  /// Whose numbers these are; the two projects number the same features differently.
  enum Numbering: Sendable, Hashable {
    case linux
    case xen
  }

  /// Word times 32 plus bit.
  var number: UInt16
  /// The replacement goes in where the feature is missing.
  var isNegated: Bool
  var numbering: Numbering

  init(number: UInt16, isNegated: Bool, numbering: Numbering = .linux) {
    self.number = number
    self.isNegated = isNegated
    self.numbering = numbering
  }

  /// `X86_FEATURE_XENPV`: the kernel runs as a PV guest of Xen.
  static let xenPV: UInt16 = 8 * 32 + 16
  /// `X86_FEATURE_ALWAYS`: set on every CPU; a way to patch unconditionally.
  static let always: UInt16 = 3 * 32 + 21

  /// What the condition says about a PV guest.
  var side: PatchSide {
    guard numbering == .linux else { return .feature }
    if number == Self.xenPV { return isNegated ? .native : .paravirtual }
    if number == Self.always, !isNegated { return .always }
    return .feature
  }

  /// The condition in words: `X86_FEATURE_SMAP`, `not X86_FEATURE_XENPV`.
  var text: String {
    let name: String
    let word = Int(number / 32)
    let bit = Int(number % 32)
    switch numbering {
    case .linux:
      if let known = FeatureNames.name(word: word, bit: bit) {
        name = "X86_FEATURE_" + known
      } else {
        name = "feature \(word):\(bit)"
      }
    case .xen:
      name = "Xen feature \(word):\(bit)"
    }
    return isNegated ? "not " + name : name
  }
}

/// When replacement code is in place.
enum PatchSide: Sendable {
  /// On every machine.
  case always
  /// Only in a PV guest.
  case paravirtual
  /// Only where the kernel is no PV guest.
  case native
  /// Only with (or only without) a CPU feature.
  case feature
}
