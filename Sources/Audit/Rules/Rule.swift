// One rule: which encodings it takes, what becomes of them under each target, and what to write
// instead. rules/*.yaml is the source; RuleBook reads it.

public import Disassembly

/// The word that ../rules uses for how an instruction behaves, finer than ``RuleClass``.
public enum RuleKind: String, Sendable, CaseIterable, Codable {
  /// Faults outside ring 0.
  case priv
  /// Sensitive and does not fault.
  case sens
  /// Depends on IOPL.
  case io
  /// Depends on a CR4 bit.
  case gated
  /// VMX or SVM.
  case vmx
  /// Transfers between rings.
  case xfer
}

/// What becomes of a rule's instructions under one target, and what takes their place.
public struct RuleOutcome: Sendable, Equatable {
  public var disposition: Disposition
  /// One or two sentences: what happens, and why.
  public var why: String
  /// The hypercall or mechanism to use instead; `nil` where nothing need be.
  public var replacement: String?

  public init(disposition: Disposition, why: String, replacement: String?) {
    self.disposition = disposition
    self.why = why
    self.replacement = replacement
  }
}

/// One rule of the audit.
public struct Rule: Sendable {
  /// `mov-to-cr3`: lower case, hyphens.
  public var id: String
  /// A line for lists: `Write of CR3 (page-table base)`.
  public var title: String
  public var ruleClass: RuleClass
  public var kind: RuleKind
  /// What the instruction does on the bare machine, in a sentence or two.
  public var summary: String
  /// `Intel SDM vol. 2, MOV-Move to/from Control Registers`.
  public var source: String
  /// The section of the guide: `guides/audit-rules.md#mov-to-cr3`.
  public var guide: String
  public var outcomes: [Target: RuleOutcome]
  /// Encodings in the notation of the manuals (see ``EncodingPattern``), each with the text to print where Capstone's is wrong.
  public var encodings: [RuleEncoding]

  public init(
    id: String, title: String, ruleClass: RuleClass, kind: RuleKind, summary: String,
    source: String, guide: String, outcomes: [Target: RuleOutcome], encodings: [RuleEncoding]
  ) {
    self.id = id
    self.title = title
    self.ruleClass = ruleClass
    self.kind = kind
    self.summary = summary
    self.source = source
    self.guide = guide
    self.outcomes = outcomes
    self.encodings = encodings
  }
}

/// One encoding of a rule.
public struct RuleEncoding: Sendable {
  /// The pattern as written: `F3 0F AE /6 m`.
  public var pattern: String
  /// What to print instead of Capstone's text, with `{rm}`, `{reg}`, `{imm8}` for operands; `nil` where Capstone is right.
  public var text: String?
  /// The modes in which the encoding is this instruction.
  public var modes: Set<DecodingMode>

  public init(
    pattern: String, text: String?, modes: Set<DecodingMode> = Set(DecodingMode.allCases)
  ) {
    self.pattern = pattern
    self.text = text
    self.modes = modes
  }
}
