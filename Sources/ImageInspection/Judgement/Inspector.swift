// From a file to its inspection: which protocols does it offer, and what does each loader say?

public import ABISchema
public import KernelImage

/// Inspects images against one version of the interface.
public struct Inspector: Sendable {
  private let rules: NoteRules

  public init(_ abi: ABI) { rules = NoteRules(abi) }

  /// Judges a file.
  ///
  /// - Throws: ``ImageError`` where the file is no kernel of any known form.
  public func inspect(
    _ file: BootFile, options: InspectionOptions = InspectionOptions()
  ) throws(ImageError) -> Inspection {
    var result = Inspection(
      path: file.path, format: "other", compression: file.compression, notes: [], protocols: [],
      layouts: [], findings: [])
    let elf = ElfView(file.kernel)
    if let elf {
      result.format = elf.is64 ? "elf64" : "elf32"
      inspect(elf, options, into: &result)
    }
    if let linux = file.linux {
      result.format = "bzImage"
      inspect(linux, into: &result)
    }
    let shape = MultibootJudge(file: file, elf: ElfView(file.bytes))
    shape.run(into: &result)
    if elf == nil, file.linux == nil {
      guard result.protocols.contains(where: \.isOffered) else {
        throw ImageError(
          .unknownFormat, path: file.path,
          expected: "an ELF file, Linux bzImage or multiboot image",
          found: file.bytes.count == 0 ? "an empty file" : "none of them")
      }
      result.format = "multiboot"
    }
    result.protocols.sort { left, right in
      let all = BootProtocol.allCases
      return (all.firstIndex(of: left.bootProtocol) ?? 0)
        < (all.firstIndex(of: right.bootProtocol) ?? 0)
    }
    return result
  }

  private func inspect(
    _ elf: ElfView, _ options: InspectionOptions, into result: inout Inspection
  ) {
    let table = NoteTable(elf)
    let decoder = NoteDecoder(table, rules: rules, bytes: elf.bytes)
    result.notes = decoder.notes
    let bootProtocol: BootProtocol = elf.is64 ? .pv64 : .pv32
    var judge = Judge(
      elf: elf, table: table, decoder: decoder, options: options, bootProtocol: bootProtocol)
    judge.run()
    let parameters = decoder.parameters
    let isOffered = parameters.isLegacy || table.hasXenNotes && !isOnlyPVH(parameters)
    result.protocols.append(
      ProtocolReport(
        bootProtocol: bootProtocol, isOffered: isOffered,
        evidence: parameters.isLegacy
          ? "section __xen_guest" : isOffered ? "ELF notes" : "no notes for a PV kernel",
        entry: isOffered ? judge.entry : nil, loaders: judge.verdicts))
    result.findings += isOffered ? judge.findings : Self.telling(judge.findings)
    if isOffered { result.layouts = judge.layouts }
    guard let entry = parameters.physicalEntry else { return }
    var pvh = Judge(
      elf: elf, table: table, decoder: decoder, options: options, bootProtocol: .pvh)
    pvh.run()
    result.protocols.append(
      ProtocolReport(
        bootProtocol: .pvh, isOffered: true, evidence: NoteRules.Name.physicalEntry, entry: entry,
        loaders: pvh.verdicts))
    result.findings += pvh.findings
  }

  /// An image that never claimed to be a PV kernel is told so by its first fault, not by all.
  private static func telling(_ findings: [Finding]) -> [Finding] {
    let first = findings.first { $0.severity == .refused }
    return findings.filter { $0.severity == .advice } + (first.map { [$0] } ?? [])
  }

  /// The PVH note stands alone, without anything that a PV loader asks for.
  private func isOnlyPVH(_ parameters: Parameters) -> Bool {
    parameters.physicalEntry != nil && parameters.xenVersion.isEmpty && parameters.loader.isEmpty
      && parameters.virtBase == nil
  }

  private func inspect(_ linux: LinuxSetup, into result: inout Inspection) {
    var findings: [Finding] = []
    let version = "\(linux.version >> 8).\(linux.version & 0xff)"
    if linux.version < 0x208 {
      findings.append(
        Finding(
          rule: "linux-version", severity: .refused, bootProtocol: .linux,
          loaders: [.xenDomain0, .xenDomain], subject: "setup header",
          expected: "boot protocol 2.08 or later, which says where the kernel is packed",
          found: version, cure: "give Xen the unpacked ELF kernel"))
    }
    if case .other(let why) = linux.payload {
      findings.append(
        Finding(
          rule: "linux-payload", severity: .refused, bootProtocol: .linux,
          loaders: [.xenDomain0, .xenDomain], subject: "payload",
          expected: "an ELF kernel packed by gzip, bzip2, xz, lzma, lz4 or zstd", found: why,
          cure: "give Xen an ELF kernel"))
    }
    result.findings += findings
    result.protocols.append(
      ProtocolReport(
        bootProtocol: .linux, isOffered: true, evidence: "setup header, protocol \(version)",
        entry: nil, loaders: [LoaderVerdict(.linux, findings)]))
  }
}
