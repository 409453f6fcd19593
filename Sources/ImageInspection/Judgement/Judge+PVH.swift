// PVH asks for one note and an image that lies below 4 GB.

import ABISchema

extension Judge {
  mutating func judgePhysicalEntry() {
    guard let entry = parameters.physicalEntry else { return }
    let (start, end) = physicalBounds
    guard !loaded.isEmpty, start <= end else {
      add(
        "nothing-loaded", .refused, "program headers", expected: "a segment of type PT_LOAD",
        found: "none", cure: "link an executable (-static, no -r) with program headers")
      return
    }
    if end > 1 << 32 {
      add(
        "pvh-above-4gb", .refused, "program headers",
        expected: "p_paddr below 4 GB for every segment", found: hexadecimal(end),
        cure: "give each segment its physical address with AT() in the linker script")
    }
    if entry < start || entry > end {
      add(
        "pvh-entry-outside", .refused, Name.physicalEntry,
        expected: "a physical address in the image, \(hexadecimal(start)) to \(hexadecimal(end))",
        found: hexadecimal(entry),
        cure: "name the entry's physical address: its symbol less the difference of "
          + "p_vaddr and p_paddr")
    } else if !loaded.contains(where: {
      entry >= $0.physicalAddress && entry - $0.physicalAddress < min($0.fileSize, $0.memorySize)
    }) {
      add(
        "pvh-entry-without-code", .fails, Name.physicalEntry,
        expected: "an address whose contents come from the file", found: hexadecimal(entry),
        cure: "name the address of the first instruction, which is 32-bit code")
    }
    if options.memory < end {
      add(
        "memory", .refused, "memory", expected: "\(end >> 20) MiB, where the image ends",
        found: "\(options.memory >> 20) MiB", cure: "give the domain more memory")
    }
  }
}
