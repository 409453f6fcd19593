// Collects findings about one protocol. The rules stand in the extensions beside this file, each
// group in the order in which Xen's loaders look; Xen stops at the first refusal, this goes on.

import ABISchema

/// The judgement of a PV or PVH kernel.
struct Judge {
  typealias Name = NoteRules.Name

  static let pvLoaders: [Loader] = [.xenDomain0, .xenDomain, .rootstock]
  static let pvhLoaders: [Loader] = [.xenDomain0, .xenDomain]
  static let pageMask: UInt64 = InitialLayout.page - 1

  let elf: ElfView
  let table: NoteTable
  let notes: [InspectedNote]
  let parameters: Parameters
  let rules: NoteRules
  let options: InspectionOptions
  let bootProtocol: BootProtocol
  var findings: [Finding] = []
  var layouts: [InitialLayout] = []

  var is64: Bool { elf.is64 }
  var architecture: Architecture { is64 ? .x86_64 : .x86_32 }
  var isPVH: Bool { bootProtocol == .pvh }
  var loaders: [Loader] { isPVH ? Self.pvhLoaders : Self.pvLoaders }

  init(
    elf: ElfView, table: NoteTable, decoder: NoteDecoder, options: InspectionOptions,
    bootProtocol: BootProtocol
  ) {
    self.elf = elf
    self.table = table
    notes = decoder.notes
    parameters = decoder.parameters
    rules = decoder.rules
    self.options = options
    self.bootProtocol = bootProtocol
  }

  mutating func run() {
    judgeFile()
    // Once is enough: the PV judgement of the same notes says it already.
    if !isPVH { judgeNotes() }
    judgeFeatures()
    if isPVH {
      judgeMachine()
      judgePhysicalEntry()
    } else {
      judgeIdentity()
      judgeAddresses()
    }
  }

  mutating func add(
    _ rule: String, _ severity: Severity, _ subject: String, expected: String, found: String,
    cure: String, loaders: [Loader]? = nil
  ) {
    findings.append(
      Finding(
        rule: rule, severity: severity, bootProtocol: bootProtocol,
        loaders: loaders ?? self.loaders, subject: subject, expected: expected, found: found,
        cure: cure))
  }

  /// The verdict of each loader, from the findings.
  var verdicts: [LoaderVerdict] {
    loaders.map { LoaderVerdict($0, findings) }
  }

  /// Name of a note as its section's text would have it, or of the note.
  func noteName(_ name: String) -> String {
    parameters.isLegacy ? "__xen_guest" : name
  }
}

extension LoaderVerdict {
  init(_ loader: Loader, _ findings: [Finding]) {
    let mine = findings.filter { $0.loaders.contains(loader) }
    let worst = mine.map(\.severity).min() ?? .advice
    let outcome: Outcome =
      switch worst {
      case .refused: .refused
      case .fails: .fails
      case .risk: .uncertain
      case .advice: .boots
      }
    var rules: [String] = []
    for finding in mine where finding.severity == worst && worst != .advice {
      if !rules.contains(finding.rule) { rules.append(finding.rule) }
    }
    self.init(loader: loader, outcome: outcome, rules: rules)
  }
}

/// A number as messages show it.
func hexadecimal(_ value: some BinaryInteger) -> String {
  "0x" + String(value, radix: 16)
}
