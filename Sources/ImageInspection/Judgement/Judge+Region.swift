// The initial region as a whole: does it fit the address space and the memory, and do entry and
// hypercall page lie in something that the image put there?

import ABISchema

extension Judge {
  /// First address behind the lower half of what a processor with four levels can translate.
  static let canonicalEnd: UInt64 = 0x0000_8000_0000_0000

  mutating func lay(out loader: Loader, _ start: UInt64, _ end: UInt64) {
    let input = LayoutInput(
      is64: is64, virtBase: virtBase, imageStart: start, imageEnd: end, entry: entry,
      hypercallPage: parameters.hypercallPage, initP2M: is64 ? parameters.initP2M : nil,
      mapsRamdisk: !parameters.leavesRamdiskUnmapped,
      startInfoSize: rules.size("start_info", architecture),
      screenInfoSize: rules.size("dom0_vga_console_info", architecture))
    guard let layout = InitialLayout(input, loader: loader, options: options) else {
      add(
        "region-wraps", .refused, noteName(Name.virtBase),
        expected: "room for the initial region below the end of the address space",
        found: "an image that ends at \(hexadecimal(end))",
        cure: "link the kernel lower, such as at 0xffffffff80000000", loaders: [loader])
      return
    }
    layouts.append(layout)
    judgeSpace(layout)
    judgeMemory(layout)
    judgeList(layout)
    judgeHypercallPage(layout)
  }

  private mutating func judgeSpace(_ layout: InitialLayout) {
    let low = rules.address("HYPERVISOR_VIRT_START", architecture)
    let high = is64 ? rules.address("HYPERVISOR_VIRT_END", .x86_64) : 1 << 32
    if layout.start < high, layout.end > low {
      add(
        "hypervisor-range", .refused, noteName(Name.virtBase),
        expected: "an initial region outside Xen's range, \(hexadecimal(low)) to "
          + hexadecimal(high),
        found: "\(hexadecimal(layout.start)) to \(hexadecimal(layout.end))",
        cure: is64
          ? "link the kernel elsewhere, such as at 0xffffffff80000000"
          : "link the kernel lower, such as at 0xc0000000", loaders: [layout.loader])
      return
    }
    let canonical = Self.canonicalEnd
    if is64, layout.end > canonical, layout.start < low {
      add(
        "not-canonical", .refused, noteName(Name.virtBase),
        expected: "addresses that the processor has: below \(hexadecimal(canonical)) or above "
          + "Xen's range",
        found: "\(hexadecimal(layout.start)) to \(hexadecimal(layout.end))",
        cure: "link the kernel elsewhere, such as at 0xffffffff80000000", loaders: [layout.loader])
    }
  }

  private mutating func judgeMemory(_ layout: InitialLayout) {
    let size = layout.end - layout.start
    let ramdiskPages = (options.ramdisk + Self.pageMask) / InitialLayout.page
    var needed: UInt64 = size / InitialLayout.page
    if layout.loader == .xenDomain0 {
      // The hypervisor takes the region, less the ramdisk, as one block of a power of two.
      if layout.part("ramdisk") != nil { needed -= min(needed, ramdiskPages) }
      var block: UInt64 = 1
      while block < needed { block *= 2 }
      needed = block + ramdiskPages
      // A list of the kernel's choice comes on top, with a table for each of the three levels.
      if is64, parameters.initP2M != nil, let list = layout.part("p2m") {
        needed += (list.end - list.start + Self.pageMask) / InitialLayout.page + 3
      }
    }
    guard needed > layout.pages else { return }
    add(
      "memory", .refused, "memory",
      expected: "\(needed * InitialLayout.page >> 20) MiB for the initial region",
      found: "\(options.memory >> 20) MiB",
      cure: "give the domain more memory, or let the image begin nearer to VIRT_BASE",
      loaders: [layout.loader])
  }

  private mutating func judgeList(_ layout: InitialLayout) {
    guard parameters.initP2M != nil, is64, let list = layout.part("p2m") else { return }
    let low = rules.address("HYPERVISOR_VIRT_START", .x86_64)
    let high = rules.address("HYPERVISOR_VIRT_END", .x86_64)
    let isOutside = list.end > Self.canonicalEnd && list.start < low
    if isOutside || list.start < high && list.end > low {
      add(
        "p2m-place", isOutside ? .fails : .risk, Name.initP2M,
        expected: "addresses below \(hexadecimal(Self.canonicalEnd)) or from \(hexadecimal(high))",
        found: "\(hexadecimal(list.start)) to \(hexadecimal(list.end))",
        cure: "choose an address of a top-level slot that nothing else uses",
        loaders: [layout.loader])
    }
    guard list.start < layout.end, list.end > layout.start else { return }
    add(
      "p2m-in-region", .refused, Name.initP2M,
      expected: "a list outside the initial region, \(hexadecimal(layout.start)) to "
        + hexadecimal(layout.end),
      found: "\(hexadecimal(list.start)) to \(hexadecimal(list.end))",
      cure: "choose an address of a top-level slot that nothing else uses",
      loaders: [layout.loader])
  }

  private mutating func judgeHypercallPage(_ layout: InitialLayout) {
    guard let page = parameters.hypercallPage else { return }
    let subject = noteName(Name.hypercallPage)
    if page < layout.start || page >= layout.end {
      add(
        "hypercall-page-outside", .refused, subject,
        expected: "an address in the initial region, \(hexadecimal(layout.start)) to "
          + hexadecimal(layout.end),
        found: hexadecimal(page),
        cure: "reserve a page of the image and name its virtual address", loaders: [layout.loader])
      return
    }
    let (imageStart, imageEnd) = image
    let last = page.addingReportingOverflow(Self.pageMask)
    if page < imageStart || last.overflow || last.partialValue >= imageEnd {
      add(
        "hypercall-page-not-in-image", .risk, subject,
        expected: "a page of the image, \(hexadecimal(imageStart)) to \(hexadecimal(imageEnd))",
        found: hexadecimal(page),
        cure: "reserve a page of the image: what lies there is overwritten",
        loaders: [layout.loader])
    }
    if entry >= page, entry - page <= Self.pageMask {
      add(
        "hypercall-page-on-entry", .fails, subject,
        expected: "a page of its own, which the loader fills before the kernel runs",
        found: "\(hexadecimal(page)), with the entry \(hexadecimal(entry)) in it",
        cure: "reserve a page that holds nothing else", loaders: [layout.loader])
    }
    if page & Self.pageMask != 0 {
      // The toolstack names a frame to the hypervisor, which drops the offset.
      add(
        "hypercall-page-unaligned", layout.loader == .xenDomain0 ? .risk : .fails, subject,
        expected: "a multiple of 4096", found: hexadecimal(page),
        cure: "write .balign 4096 before the page, and reserve 4096 bytes",
        loaders: [layout.loader])
    }
  }

  mutating func judgeEntry() {
    let inFile = loaded.contains { segment in
      let start = segment.physicalAddress &+ virtualOffset
      return entry >= start && entry - start < min(segment.fileSize, segment.memorySize)
    }
    if !inFile, !findings.contains(where: { $0.rule == "entry-outside" }) {
      add(
        "entry-without-code", .fails,
        parameters.entry == nil ? "ELF header" : noteName(Name.entry),
        expected: "an address whose contents come from the file", found: hexadecimal(entry),
        cure: "name the address of the first instruction")
    }
  }

  mutating func judgeAlignment() {
    let base = virtBase
    guard base & Self.pageMask == 0 else {
      add(
        "virt-base-unaligned", .fails, noteName(Name.virtBase), expected: "a multiple of 4096",
        found: hexadecimal(base), cure: "link the kernel at a multiple of 4 MB")
      return
    }
    if base & ((4 << 20) - 1) != 0 {
      add(
        "virt-base-odd", .advice, noteName(Name.virtBase), expected: "a multiple of 4 MB",
        found: hexadecimal(base), cure: "link the kernel at a multiple of 4 MB")
    }
    for segment in loaded where segment.physicalAddress &+ virtualOffset != segment.virtualAddress {
      let start = segment.physicalAddress &+ virtualOffset
      let isEntered = entry >= start && entry - start < segment.memorySize
      add(
        "linked-elsewhere", isEntered ? .risk : .advice, "segment \(segment.index)",
        expected: "p_vaddr \(hexadecimal(segment.physicalAddress &+ virtualOffset)), which is "
          + "p_paddr - PADDR_OFFSET + VIRT_BASE",
        found: hexadecimal(segment.virtualAddress),
        cure: "correct VIRT_BASE or PADDR_OFFSET, or the load address in the linker script; "
          + "code that is not position-independent breaks")
    }
  }
}
