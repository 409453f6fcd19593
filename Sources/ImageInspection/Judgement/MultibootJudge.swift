// Multiboot 1 and 2, which no Xen loader takes, and which GRUB, QEMU and others boot natively
// (Multiboot Specification 0.6.96, section 3.1, and 2.0, section 3.1).

import KernelImage

/// The judgement of the multiboot headers in a file.
struct MultibootJudge {
  /// Page alignment, memory information and video mode are the wishes that loaders know.
  private static let knownWishes: UInt32 = 7
  private static let wishes: UInt32 = 0xffff

  let file: BootFile
  let elf: ElfView?

  func run(into result: inout Inspection) {
    if let header = file.multiboot {
      let findings = findings(header)
      let entry = header.hasAddresses ? UInt64(header.entry) : elf?.entry
      result.add(.multiboot1, at: header.offset, entry: entry, findings)
    }
    if let header = file.multiboot2 {
      let findings = elf == nil ? [noAddresses(.multiboot2)] : []
      result.add(.multiboot2, at: header.offset, entry: header.entry ?? elf?.entry, findings)
    }
  }

  private func findings(_ header: Multiboot) -> [Finding] {
    var findings: [Finding] = []
    let unknown = header.flags & Self.wishes & ~Self.knownWishes
    if unknown != 0 {
      findings.append(
        finding(
          "multiboot-flags", .refused, expected: "no demand but bits 0, 1 and 2 of the flags",
          found: hexadecimal(header.flags), cure: "clear bits 3 to 15"))
    }
    if elf == nil, !header.hasAddresses { findings.append(noAddresses(.multiboot1)) }
    if elf?.is64 == true, !header.hasAddresses {
      findings.append(
        finding(
          "multiboot-elf64", .risk, expected: "a 32-bit ELF file, or load addresses in the header",
          found: "a 64-bit ELF file, which GRUB loads and QEMU refuses",
          cure: "set bit 16 of the flags and give the addresses, or objcopy -O elf32-i386"))
    }
    return findings
  }

  private func noAddresses(_ bootProtocol: BootProtocol) -> Finding {
    var result = finding(
      "multiboot-addresses", .refused, expected: "an ELF file, or load addresses in the header",
      found: "neither", cure: "set bit 16 of the flags (a tag of type 2 in multiboot 2)")
    result.bootProtocol = bootProtocol
    return result
  }

  private func finding(
    _ rule: String, _ severity: Severity, expected: String, found: String, cure: String
  ) -> Finding {
    Finding(
      rule: rule, severity: severity, bootProtocol: .multiboot1, loaders: [.multiboot],
      subject: "multiboot header", expected: expected, found: found, cure: cure)
  }
}

extension Inspection {
  fileprivate mutating func add(
    _ bootProtocol: BootProtocol, at offset: Int, entry: UInt64?, _ findings: [Finding]
  ) {
    self.findings += findings
    protocols.append(
      ProtocolReport(
        bootProtocol: bootProtocol, isOffered: true, evidence: "header at \(hexadecimal(offset))",
        entry: entry, loaders: [LoaderVerdict(.multiboot, findings)]))
  }
}
