// Frames for the hypervisor itself while it starts. What is left afterwards belongs to the
// domains; nothing that is taken here is ever given back.

import CMachine
import HypervisorCore

/// Hands out frames of RAM from low to high, around what is in use already.
struct BootAllocator {
  private var cursor: UInt64 = 0
  private var taken = InlineArray<24, MemoryRange>(repeating: MemoryRange())
  private var takenCount = 0

  /// The first address that has not been handed out.
  var firstFree: UInt64 { cursor }

  /// Keeps `range` from being handed out.
  mutating func reserve(_ range: MemoryRange) {
    guard range.start < range.end else { return }
    if takenCount == taken.count { panic("more boot modules than can be kept") }
    taken[takenCount] = MemoryRange(
      start: range.start & ~0xfff, end: (range.end &+ 0xfff) & ~0xfff)
    takenCount += 1
  }

  /// Where the reserved range that overlaps `range` ends, if there is one.
  func endOfReserved(overlapping range: MemoryRange) -> UInt64? {
    for index in 0..<takenCount where taken[index].overlaps(range) { return taken[index].end }
    return nil
  }

  /// Takes `count` frames in a row, cleared, the first at a multiple of `alignment` bytes.
  mutating func take(
    _ count: Int, alignment: UInt64 = 4096, from boot: borrowing BootInformation
  ) -> MachineFrame {
    let size = UInt64(count) << 12
    var at = cursor
    search: while true {
      at = (at &+ alignment &- 1) & ~(alignment &- 1)
      let wanted = MemoryRange(start: at, end: at &+ size)
      if let end = endOfReserved(overlapping: wanted) {
        at = end
        continue
      }
      var next = UInt64.max
      for index in 0..<boot.regionCount where boot.regions[index].isRAM {
        let region = boot.regions[index].range
        if region.start <= wanted.start && wanted.end <= region.end { break search }
        if region.start > at { next = min(next, region.start) }
      }
      if next == UInt64.max { panic("no memory is left for the hypervisor") }
      at = next
    }
    cursor = at &+ size
    let frame = MachineAddress(at).frame
    DirectMap.pointer(to: frame.address).initializeMemory(
      as: UInt8.self, repeating: 0, count: Int(size))
    return frame
  }
}
