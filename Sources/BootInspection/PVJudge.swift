// Judges an image as Xen's loader of PV kernels does: the rules of abi/elf-notes.yaml's topic
// loader-demands, in its order. All faults are reported, and not only the first.

import ABISchema

/// The judgement of one image under PV.
struct PVJudge {
  let elf: BootElf
  let parameters: XenParameters
  let fileSize: Int
  /// Memory of the domain, in bytes.
  let memory: UInt64
  let abi: ABI
  private(set) var findings: [BootFinding] = []
  private(set) var layout: [BootRegion] = []
  private(set) var entry: UInt64 = 0

  init(_ elf: BootElf, _ parameters: XenParameters, fileSize: Int, memory: UInt64, abi: ABI) {
    self.elf = elf
    self.parameters = parameters
    self.fileSize = fileSize
    self.memory = memory
    self.abi = abi
    findings = parameters.findings
    judge()
  }

  private mutating func refuse(
    _ subject: String, expected: String, found: String, cure: String
  ) {
    findings.append(
      BootFinding(.refused, subject, expected: expected, found: found, cure: cure))
  }

  private mutating func warn(_ subject: String, expected: String, found: String, cure: String) {
    findings.append(
      BootFinding(.warning, subject, expected: expected, found: found, cure: cure))
  }

  private mutating func judge() {
    judgeFormat()
    judgeFeatures()
    judgeTexts()
    judgeAddresses()
  }

  private mutating func judgeFormat() {
    if elf.is64Bit ? elf.machine != 62 : elf.machine != 3 {
      refuse(
        "ELF header", expected: "machine 62 (x86-64) in 64 bits or 3 (i386) in 32 bits",
        found: "machine \(elf.machine) in \(elf.is64Bit ? 64 : 32) bits",
        cure: "link for elf_x86_64 or elf_i386")
    }
    if !elf.is64Bit {
      let mode = parameters.paeMode ?? "no"
      if !mode.hasPrefix("yes"), !mode.contains("bimodal") {
        refuse(
          "XEN_ELFNOTE_PAE_MODE", expected: "\"yes\" or \"bimodal\" in a 32-bit kernel",
          found: "\"\(mode)\"", cure: "add note 9, .asciz \"yes\", and use PAE page tables")
      }
    }
    if elf.segments.filter(\.isLoadable).isEmpty {
      refuse(
        "program headers", expected: "at least one segment of type LOAD", found: "none",
        cure: "link an executable, not an object")
    }
    for (index, segment) in elf.segments.enumerated() where segment.isLoadable {
      let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
      if overflow || end > UInt64(fileSize) {
        // Xen loads as much as there is; what is missing is zero, and fails when it is reached.
        warn(
          "segment \(index)", expected: "its bytes inside the file of \(fileSize) bytes",
          found: "\(segment.fileSize) bytes at offset \(segment.offset)",
          cure: "the file is cut off: build or copy it again")
      }
      if segment.fileSize > segment.memorySize {
        refuse(
          "segment \(index)", expected: "no more bytes in the file than in memory",
          found: "\(segment.fileSize) and \(segment.memorySize)",
          cure: "link again with a script whose segments are whole")
      }
    }
    for remark in elf.remarks {
      warn("notes", expected: remark.expected, found: remark.found, cure: "link again")
    }
  }

  /// `a|!b|c`: a name with `!` is required, and must be known.
  private mutating func judgeFeatures() {
    guard let features = parameters.features else { return }
    let known = [
      "writable_page_tables", "writable_descriptor_tables", "auto_translated_physmap",
      "supervisor_mode_kernel", "pae_pgdir_above_4gb", "hvm_callback_vector", "dom0",
    ]
    for name in features.split(separator: "|") {
      let isRequired = name.hasPrefix("!")
      let bare = String(isRequired ? name.dropFirst() : name)
      if isRequired, !known.contains(bare) {
        refuse(
          "XEN_ELFNOTE_FEATURES", expected: "known names behind `!`", found: "!\(bare)",
          cure: "write \(bare) without `!`; known are \(known.joined(separator: ", "))")
      }
      if isRequired, bare == "supervisor_mode_kernel" {
        refuse(
          "XEN_ELFNOTE_FEATURES", expected: "nothing that a PV guest cannot have",
          found: "!supervisor_mode_kernel", cure: "leave it out: no hypervisor offers it")
      }
    }
  }

  private mutating func judgeTexts() {
    // One of the two is enough.
    if parameters.loader?.hasPrefix("generic") != true,
      parameters.guestOS?.hasPrefix("linux") != true
    {
      refuse(
        "XEN_ELFNOTE_LOADER", expected: "\"generic\", or a GUEST_OS that begins with linux",
        found: parameters.loader.map { "\"\($0)\"" } ?? "neither",
        cure: "add note 8, .asciz \"generic\"")
    }
    if parameters.xenVersion?.hasPrefix("xen-3.0") != true {
      refuse(
        "XEN_ELFNOTE_XEN_VERSION", expected: "\"xen-3.0\"",
        found: parameters.xenVersion.map { "\"\($0)\"" } ?? "no such note",
        cure: "add note 5, .asciz \"xen-3.0\"")
    }
  }

  private mutating func judgeAddresses() {
    if parameters.physicalOffset != nil, parameters.virtualBase == nil {
      refuse(
        "XEN_ELFNOTE_PADDR_OFFSET", expected: "VIRT_BASE with it", found: "no VIRT_BASE",
        cure: "add note 3 with the virtual address of pseudo-physical 0")
    }
    let base = parameters.virtualBase ?? 0
    let offset = parameters.physicalOffset ?? 0
    let loadable = elf.segments.filter { $0.isLoadable && $0.memorySize > 0 }
    guard let low = loadable.map(\.physicalAddress).min(),
      let high = loadable.map({ $0.physicalAddress &+ $0.memorySize }).max()
    else { return }
    let start = low &- offset &+ base
    let end = high &- offset &+ base
    entry = parameters.entry ?? elf.entry
    if start > end {
      refuse(
        "addresses", expected: "an image that does not wrap around the address space",
        found: "\(hexadecimal(start)) to \(hexadecimal(end))",
        cure: "check VIRT_BASE and PADDR_OFFSET against the segments' p_paddr")
    }
    if base > start {
      refuse(
        "XEN_ELFNOTE_VIRT_BASE", expected: "at or below the image's start \(hexadecimal(start))",
        found: hexadecimal(base),
        cure: "VIRT_BASE is where pseudo-physical 0 lies; PADDR_OFFSET what p_paddr has too much")
    }
    if entry < start || entry > end {
      refuse(
        "XEN_ELFNOTE_ENTRY",
        expected: "inside the image, \(hexadecimal(start)) to \(hexadecimal(end))",
        found: hexadecimal(entry),
        cure: "note 1 holds the virtual address of the first instruction; check VIRT_BASE too")
    }
    if elf.is64Bit, let list = parameters.initialP2M, list >= start, list < end {
      refuse(
        "XEN_ELFNOTE_INIT_P2M", expected: "outside the image", found: hexadecimal(list),
        cure: "choose an address that nothing else uses")
    }
    if base & 0xFFF != 0 {
      warn(
        "XEN_ELFNOTE_VIRT_BASE", expected: "a multiple of 4096 (better of 4 MB)",
        found: hexadecimal(base), cure: "align it: nothing checks it and page tables need it")
    }
    guard start <= end, base <= start else { return }
    judgeRegion(start: start, end: end, base: base)
  }

  private mutating func judgeRegion(start: UInt64, end: UInt64, base: UInt64) {
    layout = InitialLayout.regions(
      start: start, end: end, base: base, memory: memory, is64Bit: elf.is64Bit,
      hasOwnP2M: elf.is64Bit && parameters.initialP2M != nil)
    let regionEnd = layout.last?.end ?? end
    let hole = hypervisorHole
    if base < hole.end, regionEnd > hole.start || regionEnd < base {
      refuse(
        "XEN_ELFNOTE_VIRT_BASE",
        expected: "an initial region outside the hypervisor's "
          + "\(hexadecimal(hole.start)) to \(hexadecimal(hole.end))",
        found: "\(hexadecimal(base)) to \(hexadecimal(regionEnd))",
        cure: "link the kernel elsewhere: 0xffffffff80000000 is usual in 64 bits, 0xc0000000 in 32")
    }
    if regionEnd &- base > memory {
      refuse(
        "memory", expected: "room for the initial region of \(regionEnd &- base) bytes",
        found: "\(memory) bytes", cure: "give the domain more memory (--memory)")
    }
    if let start = parameters.holeStart, !elf.is64Bit,
      (start &+ 0x1F_FFFF) & ~0x1F_FFFF > 0xF580_0000
    {
      refuse(
        "XEN_ELFNOTE_HV_START_LOW", expected: "at most 0xf5800000", found: hexadecimal(start),
        cure: "note 12 holds the lowest address that the hypervisor may take")
    }
    guard let page = parameters.hypercallPage else { return }
    if page < base || page >= regionEnd {
      refuse(
        "XEN_ELFNOTE_HYPERCALL_PAGE",
        expected: "inside the initial region, \(hexadecimal(base)) to \(hexadecimal(regionEnd))",
        found: hexadecimal(page), cure: "note 2 holds the virtual address of a page of the image")
    } else {
      if page & 0xFFF != 0 {
        warn(
          "XEN_ELFNOTE_HYPERCALL_PAGE", expected: "a multiple of 4096", found: hexadecimal(page),
          cure: "align the page: the loader overwrites 4096 bytes from there")
      }
      if page < start || page >= end {
        warn(
          "XEN_ELFNOTE_HYPERCALL_PAGE", expected: "a page of the image", found: hexadecimal(page),
          cure: "reserve a page in the image, or the loader overwrites what lies there")
      }
    }
  }

  /// The hypervisor's range, from abi/.
  private var hypervisorHole: (start: UInt64, end: UInt64) {
    let architecture: Architecture = elf.is64Bit ? .x86_64 : .x86_32
    func number(_ name: String, _ fallback: UInt64) -> UInt64 {
      abi.constant(name)?.values[architecture]?.integer.map { UInt64(truncatingIfNeeded: $0) }
        ?? fallback
    }
    if elf.is64Bit {
      return (
        number("HYPERVISOR_VIRT_START", 0xFFFF_8000_0000_0000),
        number("HYPERVISOR_VIRT_END", 0xFFFF_8800_0000_0000)
      )
    }
    return (number("HYPERVISOR_VIRT_START", 0xF580_0000), 0x1_0000_0000)
  }
}
