// PVH, multiboot, and the old section `__xen_guest`.

import KernelImage

enum PVHJudge {
  /// PVH needs the note and an image whose physical addresses hold the entry, below 4 GB.
  static func verdict(_ elf: BootElf, _ entry: UInt64, fileSize: Int) -> BootVerdict {
    var findings: [BootFinding] = []
    let loadable = elf.segments.filter { $0.isLoadable && $0.memorySize > 0 }
    let isInside = loadable.contains { segment in
      entry >= segment.physicalAddress && entry - segment.physicalAddress < segment.memorySize
    }
    if !isInside || entry > 0xFFFF_FFFF {
      findings.append(
        BootFinding(
          .refused, "XEN_ELFNOTE_PHYS32_ENTRY",
          expected: "the physical address of an instruction of the image, below 4 GB",
          found: hexadecimal(entry),
          cure: "note 18 holds the p_paddr of the entry, not its virtual address"))
    }
    for (index, segment) in elf.segments.enumerated() where segment.isLoadable {
      let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
      if overflow || end > UInt64(fileSize) {
        findings.append(
          BootFinding(
            .refused, "segment \(index)", expected: "its bytes inside the file",
            found: "\(segment.fileSize) bytes at offset \(segment.offset) of \(fileSize)",
            cure: "the file is cut off: build or copy it again"))
      }
    }
    return BootVerdict(bootProtocol: .pvh, isOffered: true, findings: findings, entry: entry)
  }
}

enum MultibootJudge {
  /// The headers that the file carries where loaders look for them.
  static func verdicts(_ bytes: ImageBytes) -> [BootVerdict] {
    var found: [BootVerdict] = []
    for offset in stride(from: 0, to: min(bytes.count, 8_192) - 11, by: 4) {
      guard bytes.load(offset, as: UInt32.self) == 0x1BAD_B002,
        let flags: UInt32 = bytes.load(offset + 4), let sum: UInt32 = bytes.load(offset + 8),
        0x1BAD_B002 &+ flags &+ sum == 0
      else { continue }
      var findings: [BootFinding] = []
      let is64Bit = bytes.load(4, as: UInt8.self) == 2
      if is64Bit, flags & 1 << 16 == 0 {
        findings.append(
          BootFinding(
            .warning, "multiboot 1 header",
            expected: "load addresses in the header, as the file is a 64-bit ELF",
            found: "flags \(hexadecimal(UInt64(flags)))",
            cure: "set bit 16 and fill in the addresses: some loaders refuse it (QEMU's does)"))
      }
      found.append(
        BootVerdict(bootProtocol: .multiboot1, isOffered: true, findings: findings, entry: nil))
      break
    }
    for offset in stride(from: 0, to: min(bytes.count, 32_768) - 15, by: 8) {
      guard bytes.load(offset, as: UInt32.self) == 0xE852_50D6,
        let architecture: UInt32 = bytes.load(offset + 4),
        let length: UInt32 = bytes.load(offset + 8), let sum: UInt32 = bytes.load(offset + 12),
        0xE852_50D6 &+ architecture &+ length &+ sum == 0
      else { continue }
      found.append(
        BootVerdict(bootProtocol: .multiboot2, isOffered: true, findings: [], entry: nil))
      break
    }
    return found
  }
}

/// The form before notes: `NAME=VALUE` with commas between.
enum GuestSection {
  private static let types: [String: UInt32] = [
    "GUEST_OS": 6, "GUEST_VER": 7, "LOADER": 8, "PAE": 9, "FEATURES": 10, "XEN_VER": 5,
    "VIRT_ENTRY": 1, "VIRT_BASE": 3, "ELF_PADDR_OFFSET": 4, "HYPERCALL_PAGE": 2,
    "BSD_SYMTAB": 11, "HV_START_LOW": 12,
  ]

  /// The section's values as the notes that say the same.
  static func notes(_ text: String?) -> [BootNote] {
    guard let text else { return [] }
    return text.prefix { $0 != "\0" }.split(separator: ",").prefix(64).compactMap { part in
      let sides = part.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, let type = types[String(sides[0])] else { return nil }
      let value = String(sides[1])
      var contents = Array(value.utf8) + [0]
      if value.hasPrefix("0x"), let number = UInt64(value.dropFirst(2), radix: 16) {
        // The hypercall page is given as a frame number there.
        let address = type == 2 ? number << 12 : number
        contents = (0..<8).map { UInt8(truncatingIfNeeded: address >> UInt64($0 * 8)) }
      }
      return BootNote(
        owner: "Xen", type: type, contents: contents, text: value, place: "section __xen_guest")
    }
  }
}
