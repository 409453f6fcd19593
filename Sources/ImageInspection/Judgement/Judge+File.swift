// The ELF file itself: headers, and segments that a loader copies.

import ABISchema
import KernelImage

extension Judge {
  static let machine64: UInt16 = 62
  static let machine32: UInt16 = 3

  mutating func judgeFile() {
    let size = UInt64(elf.bytes.count)
    if elf.segmentTableEnd > size {
      add(
        "program-headers-outside", .refused, "ELF header",
        expected: "program headers inside the file's \(size) bytes",
        found: "a table that ends at \(hexadecimal(elf.segmentTableEnd))",
        cure: "link the file anew, or fetch it whole")
    }
    if elf.sectionTableEnd > size {
      add(
        "section-headers-outside", .refused, "ELF header",
        expected: "section headers inside the file's \(size) bytes",
        found: "a table that ends at \(hexadecimal(elf.sectionTableEnd))",
        cure: "fetch the file whole, or remove the table: strip --strip-section-headers")
    }
    judgeSegments(fileSize: size)
  }

  /// Looked at only when the notes have passed.
  mutating func judgeMachine() {
    let machine = is64 ? Self.machine64 : Self.machine32
    if elf.machine != machine || !elf.isLittleEndian {
      add(
        "machine", .refused, "ELF header",
        expected: "machine \(machine), little-endian, for a \(is64 ? 64 : 32)-bit file",
        found: "machine \(elf.machine), \(elf.isLittleEndian ? "little" : "big")-endian",
        cure: "compile and link with \(is64 ? "-m64" : "-m32")")
    }
  }

  var loaded: [ElfView.Segment] { elf.segments.filter(\.isLoaded) }

  private mutating func judgeSegments(fileSize: UInt64) {
    for segment in elf.segments {
      let name = "segment \(segment.index)"
      if segment.type == ElfView.Segment.load, !segment.isLoaded {
        add(
          "segment-without-permission", .advice, name,
          expected: "PF_R, PF_W or PF_X in its flags", found: "none of them",
          cure: "give the segment FLAGS in the linker script; Xen does not load it as it is")
      }
      guard segment.isLoaded else { continue }
      if segment.fileSize > segment.memorySize {
        add(
          "segment-larger-in-file", .refused, name,
          expected: "p_filesz of at most p_memsz, \(hexadecimal(segment.memorySize))",
          found: hexadecimal(segment.fileSize),
          cure: "link the file anew; no linker writes such a header")
      }
      let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
      if overflow || end > fileSize {
        // The hypervisor trusts domain 0's image and copies what lies behind it.
        let found = "\(hexadecimal(segment.fileSize)) bytes from \(hexadecimal(segment.offset))"
        let cure = "fetch the file whole; it is cut short or its headers were changed"
        let expected = "contents inside the file's \(hexadecimal(fileSize)) bytes"
        add(
          "segment-truncated", .refused, name, expected: expected, found: found, cure: cure,
          loaders: loaders.filter { $0 != .xenDomain0 })
        add(
          "segment-truncated", .risk, name, expected: expected, found: found, cure: cure,
          loaders: [.xenDomain0])
      }
    }
    judgeOverlaps()
  }

  private mutating func judgeOverlaps() {
    let sorted = loaded.filter { $0.memorySize > 0 }
      .sorted { ($0.physicalAddress, $0.index) < ($1.physicalAddress, $1.index) }
    for (first, second) in zip(sorted, sorted.dropFirst()) {
      let (end, overflow) = first.physicalAddress.addingReportingOverflow(first.memorySize)
      guard overflow || end > second.physicalAddress else { continue }
      add(
        "segments-overlap", .risk, "segment \(second.index)",
        expected: "p_paddr behind segment \(first.index), which ends at \(hexadecimal(end))",
        found: hexadecimal(second.physicalAddress),
        cure: "set the load addresses apart with AT() in the linker script; the later one wins")
    }
  }
}
