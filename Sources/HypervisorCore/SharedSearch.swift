// Where a guest sees a frame that it shares, and which frames are rings: for SharedOrder.

import X86

/// Frames of a domain that a backend has mapped as rings, the last ones.
public struct RingFrames: Sendable {
  private var frames = InlineArray<4, UInt64>(repeating: 0)
  private var next = 0
  /// Changes with them.
  public private(set) var version: UInt32 = 0

  /// None.
  public init() {}

  /// The frame at a place; `nil` for none.
  public subscript(_ index: Int) -> MachineFrame? {
    frames[index] == 0 ? nil : MachineFrame(frames[index])
  }

  mutating func note(_ frame: MachineFrame) {
    for index in 0..<4 where frames[index] == frame.number { return }
    frames[next] = frame.number
    next = (next + 1) % 4
    version &+= 1
  }

  /// Nobody has it mapped any more: what is written there is no ring's.
  mutating func forget(_ frame: MachineFrame) {
    for index in 0..<4 where frames[index] == frame.number {
      frames[index] = 0
      version &+= 1
    }
  }
}

extension Hypervisor {
  /// Tables that a search goes through at most: a guest's tables may lead in circles.
  private static var mostTables: Int { 4096 }

  /// An address under a top-level table at which a frame is mapped; `nil` where there is none, or the
  /// search takes too long.
  public func address(of frame: MachineFrame, under top: MachineFrame) -> GuestVirtualAddress? {
    var budget = Self.mostTables
    return address(of: frame, in: top, level: frames[top].pointee.type.level, base: 0, &budget)
  }

  private func address(
    of frame: MachineFrame, in table: MachineFrame, level: Int, base: UInt64, _ budget: inout Int
  ) -> GuestVirtualAddress? {
    guard budget > 0 else { return nil }
    budget -= 1
    let words = machine.words(of: table)
    for index in 0..<512 {
      // The hypervisor's own slots.
      if level == 4, 256..<272 ~= index { continue }
      let entry = PageTableEntry(rawValue: words[index])
      let found = MachineFrame(entry.frameNumber)
      guard entry.isPresent, level == 1 || !entry.flags.contains(.large) else { continue }
      var address = base | UInt64(index) << UInt64(12 + 9 * (level - 1))
      if level == 4, index >= 256 { address |= 0xffff << 48 }
      if level == 1 {
        if found == frame { return GuestVirtualAddress(address) }
      } else if frames.isMemory(found),
        let place = self.address(of: frame, in: found, level: level - 1, base: address, &budget)
      {
        return place
      }
    }
    return nil
  }

  /// Notes a frame that a backend maps if it looks as a ring does before its first request: nothing is
  /// in it, and each end wants to hear of the first entry.
  func noteRing(_ frame: MachineFrame, of domain: DomainPointer) {
    guard frames.isMemory(frame) else { return }
    let words = machine.words(of: frame)
    let fresh: UInt64 = 1 << 32
    guard words[0] == fresh, words[1] == fresh else { return }
    for index in 2..<8 where words[index] != 0 { return }
    domain.pointee.rings.note(frame)
  }
}
