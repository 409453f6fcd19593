// The memory that a PV guest finds at its entry: abi/start-of-day.yaml's topic initial-layout.

enum InitialLayout {
  /// The parts in order, as the loader of ordinary guests places them, without a ramdisk.
  static func regions(
    start: UInt64, end: UInt64, base: UInt64, memory: UInt64, is64Bit: Bool, hasOwnP2M: Bool
  ) -> [BootRegion] {
    let pages = memory / 4_096
    var regions = [BootRegion(name: "kernel image", start: start, end: end)]
    var position = up(end, 4_096)
    func add(_ name: String, _ size: UInt64) {
      let next = position &+ up(size, 4_096)
      regions.append(BootRegion(name: name, start: position, end: next))
      position = next
    }
    if !hasOwnP2M { add("P2M list", pages &* (is64Bit ? 8 : 4)) }
    add("start_info", 4_096)
    add("xenstore page", 4_096)
    add("console page", 4_096)
    let (tables, regionEnd) = pageTables(from: position, base: base, is64Bit: is64Bit)
    add("page tables", tables &* 4_096)
    add("bootstrap stack", 4_096)
    regions.append(BootRegion(name: "free, mapped", start: position, end: regionEnd))
    return regions
  }

  /// The number of page tables and where the mapped region ends; each depends on the other.
  private static func pageTables(
    from position: UInt64, base: UInt64, is64Bit: Bool
  ) -> (UInt64, UInt64) {
    var tables: UInt64 = 1
    // More tables map more memory than they take, so this settles after a turn or two.
    for _ in 0..<64 {
      let end = up(position &+ tables &* 4_096 &+ 4_096 &+ 512 * 1_024, 4 << 20)
      let needed =
        count(base, end, 21) &+ count(base, end, 30) + (is64Bit ? count(base, end, 39) + 1 : 1)
      if needed <= tables { return (tables, end) }
      tables = needed
    }
    return (tables, up(position &+ tables &* 4_096, 4 << 20))
  }

  /// Tables of one level whose reach is `1 << shift` bytes each.
  private static func count(_ start: UInt64, _ end: UInt64, _ shift: UInt64) -> UInt64 {
    guard end > start else { return 1 }
    return (end - 1) >> shift - start >> shift + 1
  }

  private static func up(_ value: UInt64, _ unit: UInt64) -> UInt64 {
    (value &+ (unit - 1)) & ~(unit - 1)
  }
}
