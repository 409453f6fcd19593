// One instruction that assumes ring 0, with everything the audit knows about it.

/// What kind of assumption an instruction makes.
public enum RuleClass: String, Sendable, CaseIterable, Codable {
  /// Faults outside ring 0.
  case privileged
  /// Reads or depends on machine state and does not fault (Popek and Goldberg 1974; Robin and Irvine 2000).
  case sensitive
  /// Depends on EFLAGS.IOPL or the I/O bitmap.
  case io
  /// Depends on a bit of CR4 (TSD, PCE, FSGSBASE, …).
  case gated
  /// Belongs to VMX or SVM.
  case virtualization
  /// Changes rings or enters a handler: syscall, iret, far transfers, int n.
  case transfer
}

/// What becomes of an instruction when the kernel runs as a guest of the chosen target.
public enum Disposition: String, Sendable, CaseIterable, Codable {
  /// It must be replaced: the guest dies on it, or is refused.
  case replace
  /// The hypervisor emulates it: right, and slow.
  case emulated
  /// It runs, gives a wrong result and says nothing. The dangerous kind.
  case silent
  /// It is allowed as it is.
  case native
  /// It stands in code that a guest of this target never reaches.
  case unreachable
}

/// What the kernel is to become.
public enum Target: String, Sendable, CaseIterable, Codable {
  /// A 64-bit paravirtualized guest: its kernel in ring 3.
  case pv64
  /// A 32-bit paravirtualized guest: its kernel in ring 1.
  case pv32
  /// A guest in hardware-assisted mode without firmware: its kernel in ring 0 of a virtual machine.
  case pvh
}

/// Where a finding stands, as the image's own tables tell.
public enum FindingContext: String, Sendable, CaseIterable, Codable, Comparable {
  /// In replacement code that `.altinstructions` patches into other places.
  case alternative
  /// In original code that `.altinstructions` may replace.
  case alternativeOriginal = "alternative-original"
  /// In a site that `.parainstructions` patches.
  case paravirtSite = "paravirt-site"
  /// In a section that is freed after boot.
  case initCode = "init"
  /// In a section used only when a module or the kernel goes away.
  case exitCode = "exit"
  /// The exception table has an entry for it: a fault here is expected and handled.
  case exceptionTable = "exception-table"
  /// In a site that a jump label or static call rewrites.
  case jumpLabel = "jump-label"
  case staticCall = "static-call"
  /// Decoded as 16-bit or 32-bit code in an image of another width.
  case bits16
  case bits32
  /// Behind Xen's forced-emulation prefix (`ud2; .ascii "xen"`): the hypervisor emulates it on purpose.
  case forcedEmulation = "forced-emulation"
  /// In a section that is not executable.
  case data
  /// The straight sweep and the sweep from a function symbol disagree here: two decodings overlap.
  case overlap
  /// Found at an odd offset inside another instruction (`--hidden`).
  case hidden

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Whether code is present in the running guest.
public enum Liveness: String, Sendable, CaseIterable, Codable {
  /// Always there.
  case always
  /// On the native side of a paravirtual alternative: never there in a PV guest, so not a thing to port.
  case nativeOnly = "native-only"
  /// There only on a CPU with a feature (or without it).
  case featureGated = "feature-gated"
}

/// A place that replacement code is patched into.
public struct PatchSite: Sendable, Hashable, Codable {
  public var address: UInt64
  public var function: String?
  public var file: String?
  public var line: Int?
  /// The condition in words: `X86_FEATURE_SMAP`, `not X86_FEATURE_XENPV`.
  public var feature: String

  public init(address: UInt64, function: String?, file: String?, line: Int?, feature: String) {
    self.address = address
    self.function = function
    self.file = file
    self.line = line
    self.feature = feature
  }
}

/// One function that was inlined where a finding stands.
public struct Frame: Sendable, Hashable, Codable {
  public var function: String
  public var file: String?
  public var line: Int?

  public init(function: String, file: String?, line: Int?) {
    self.function = function
    self.file = file
    self.line = line
  }
}

/// How a finding stands against a baseline.
public enum BaselineState: String, Sendable, Codable {
  case new
  case known = "unchanged"
}

/// One instruction that assumes ring 0.
public struct Finding: Sendable {
  /// Virtual address; relative to the section in a relocatable file.
  public var address: UInt64
  /// The section's name.
  public var section: String
  /// The section's index in the image, so that relocatable files sort well.
  public var sectionIndex: Int
  public var bytes: [UInt8]
  /// Intel syntax, lower case.
  public var instruction: String
  /// The rule's identifier, `mov-to-cr3`.
  public var rule: String
  public var ruleClass: RuleClass
  public var disposition: Disposition
  /// The function that holds the code (never an inlined one), and the address's offset in it.
  public var function: String?
  public var offset: UInt64?
  /// The line that is current in ``function``: where something was inlined, the line of the call.
  public var file: String?
  public var line: Int?
  /// The functions inlined here, the innermost first; empty where nothing was.
  public var inlined: [Frame] = []
  /// Sorted.
  public var context: [FindingContext] = []
  public var liveness: Liveness = .always
  /// Where replacement code goes, in order of address.
  public var sites: [PatchSite] = []
  /// The hypercall or mechanism that takes the instruction's place; `nil` where nothing need.
  public var replacement: String?
  /// The section of the guide that explains what to do.
  public var guide: String
  /// How often a traced run executed it, as far as it was counted.
  ///
  /// Of what is not emulated 1 says at least once. `nil` without `--trace`, or where the trace cannot tell.
  public var executed: Int?
  /// What the traced run made of it; `nil` where ``executed`` is.
  public var profile: TrapProfile?
  /// Rule, function, inline chain and ordinal among equals, hashed: the same in the next build of the kernel.
  public var fingerprint: String = ""
  /// `nil` without `--baseline`.
  public var baselineState: BaselineState?
  /// Why a suppression file takes it out of the gate; `nil` where none does.
  public var suppression: String?

  public init(
    address: UInt64, section: String, sectionIndex: Int, bytes: [UInt8], instruction: String,
    rule: String, ruleClass: RuleClass, disposition: Disposition, replacement: String?,
    guide: String
  ) {
    self.address = address
    self.section = section
    self.sectionIndex = sectionIndex
    self.bytes = bytes
    self.instruction = instruction
    self.rule = rule
    self.ruleClass = ruleClass
    self.disposition = disposition
    self.replacement = replacement
    self.guide = guide
  }

  /// The innermost place in the source: what a person opens in an editor.
  public var place: (file: String, line: Int)? {
    if let frame = inlined.first {
      guard let file = frame.file, let line = frame.line else { return nil }
      return (file, line)
    }
    guard let file, let line else { return nil }
    return (file, line)
  }
}
