// Where a PV image says it wants to be, and whether that can be.

import ABISchema

extension Judge {
  /// Lowest and highest physical address of what is loaded; empty ranges look inverted, as in Xen.
  var physicalBounds: (start: UInt64, end: UInt64) {
    var start = UInt64.max
    var end: UInt64 = 0
    for segment in loaded {
      start = min(start, segment.physicalAddress)
      end = max(end, segment.physicalAddress &+ segment.memorySize)
    }
    return (start, end)
  }

  var virtBase: UInt64 { parameters.virtBase ?? 0 }

  /// What turns a physical address of the file into a virtual one.
  var virtualOffset: UInt64 {
    virtBase &- (parameters.paddrOffset ?? (parameters.isLegacy ? virtBase : 0))
  }

  /// First address of the image and the first behind it.
  var image: (start: UInt64, end: UInt64) {
    let (start, end) = physicalBounds
    return (start &+ virtualOffset, end &+ virtualOffset)
  }

  var entry: UInt64 { parameters.entry ?? elf.entry }

  mutating func judgeAddresses() {
    if parameters.paddrOffset != nil, parameters.virtBase == nil {
      add(
        "paddr-offset-alone", .refused, noteName(Name.paddrOffset),
        expected: "\(Name.virtBase) beside it", found: "none",
        cure: "add \(Name.virtBase), or remove \(Name.paddrOffset)")
    }
    guard !loaded.isEmpty else {
      add(
        "nothing-loaded", .refused, "program headers", expected: "a segment of type PT_LOAD",
        found: "none", cure: "link an executable (-static, no -r) with program headers")
      judgeMachine()
      return
    }
    let (start, end) = image
    judgeBounds(start, end)
    judgeP2M(start, end)
    judgeMachine()
    judgePAE()
    judgeHole()
    guard !findings.contains(where: { Self.placeRules.contains($0.rule) }) else { return }
    judgeEntry()
    for loader in loaders { lay(out: loader, start, end) }
    judgeAlignment()
  }

  private static let placeRules: Set<String> = [
    "image-wraps", "virt-base-above-image", "paddr-offset-alone",
  ]

  private mutating func judgeBounds(_ start: UInt64, _ end: UInt64) {
    let range = "\(hexadecimal(start)) to \(hexadecimal(end))"
    if start > end {
      add(
        "image-wraps", .refused, noteName(Name.virtBase),
        expected: "an image whose end lies above its start", found: range,
        cure: "make p_paddr - PADDR_OFFSET + VIRT_BASE the address that each segment is linked at")
    }
    if virtBase > start {
      add(
        "virt-base-above-image", .refused, noteName(Name.virtBase),
        expected: "at most \(hexadecimal(start)), where the image begins",
        found: hexadecimal(virtBase),
        cure: parameters.virtBase == nil
          ? "add \(Name.virtBase)"
          : "set PADDR_OFFSET to the p_paddr that stands for pseudo-physical address 0")
    }
    if entry < start || entry > end {
      add(
        "entry-outside", .refused, parameters.entry == nil ? "ELF header" : noteName(Name.entry),
        expected: "an address in the image, \(range)", found: hexadecimal(entry),
        cure: parameters.virtBase == nil
          ? "add \(Name.virtBase): without it the image is taken to begin at its p_paddr"
          : "name the entry's virtual address; if that is right, VIRT_BASE or PADDR_OFFSET is not")
    }
  }

  private mutating func judgeP2M(_ start: UInt64, _ end: UInt64) {
    guard let list = parameters.initP2M, is64 else { return }
    if list >= start, list < end {
      add(
        "p2m-in-image", .refused, Name.initP2M,
        expected: "an address outside the image, \(hexadecimal(start)) to \(hexadecimal(end))",
        found: hexadecimal(list),
        cure: "choose an address of a top-level slot that nothing else uses")
    }
  }

  private mutating func judgeHole() {
    guard !is64, let low = parameters.hvStartLow else { return }
    let limit = rules.address("HYPERVISOR_VIRT_START", .x86_32)
    let large: UInt64 = 2 << 20
    guard let rounded = InitialLayout.roundUp(low, large), rounded <= limit else {
      add(
        "hv-start-low", .refused, Name.hvStartLow, expected: "at most \(hexadecimal(limit))",
        found: hexadecimal(low),
        cure: "write \(hexadecimal(limit)), or leave the note out where the kernel is not ready "
          + "for another address")
      return
    }
  }
}
