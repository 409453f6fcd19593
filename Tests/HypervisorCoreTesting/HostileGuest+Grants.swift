// The hostile guest's grants: entries that change all the time, maps of the other's frames over its
// own page tables, unmaps of what it has and has not, copies into everything.

import CXenABI
import HypervisorCore
import XenABI

/// A mapping that a hostile guest remembers.
struct RememberedMapping {
  var user: DomainID
  var handle: UInt32
  var address: UInt64
  var device: UInt64
}

extension HostileGuest {
  private static let window = FakeMachine.windowBase.value + 4096

  /// grant_table_op with arguments that are nearly right.
  func grantCall(_ caller: Caller, _ own: [MachineFrame], _ limit: Int) -> (String, Int64?) {
    let operation = random.pick([0, 0, 0, 0, 1, 1, 1, 2, 5, 5, 5, 7, 8, 9, 10, 11, 4, 6, 12, 13])
    var words: [UInt64]
    switch operation {
    case 0: words = mapWords(own)
    case 1: words = unmapWords(caller, own, isReplace: false)
    case 7: words = unmapWords(caller, own, isReplace: true)
    case 5: words = copyWords(own)
    case 2:
      let frames = UInt64(random.pick([0, 1, 1, 2, 3, 64, 65]))
      words = [anyDomain() | frames << 32, 0, Self.window + 512]
    case 9: words = [UInt64(random.below(3)) | anyDomain() << 32, Self.window + 512]
    case 8: words = [UInt64(random.pick([1, 2, 2, 3]))]
    case 11: words = [anyReference() | anyReference() << 32, 0]
    case 12: words = [anyFrame(own).number << 12, UInt64(random.below(5)) << 32 | 64 << 16]
    default: words = [anyDomain(), anyReference(), 0]
    }
    let isArray = [0, 1, 4, 5, 7, 11, 12].contains(operation)
    let count = isArray ? random.pick([1, 1, 1, 1, 0, 2]) : 1
    let is32Bit = caller.domain.pointee.is32Bit
    if is32Bit {
      let halves = narrowed(words, of: operation)
      for (index, half) in (halves + (count == 2 ? halves : [])).enumerated() {
        bench.machine.poke(half: half, at: 4096 + index * 4)
      }
    } else {
      bench.machine.poke(words, at: 4096)
      if count == 2 { bench.machine.poke(words, at: 4096 + size(of: operation)) }
    }
    let arguments = HypercallArguments(UInt64(operation), Self.window, UInt64(count))
    func perform(_ arguments: inout HypercallArguments) -> HypercallResult {
      is32Bit
        ? bench.hypervisor.compatGrantTableOperation(&arguments, from: caller)
        : bench.hypervisor.grantTableOperation(&arguments, from: caller)
    }
    let result = interfereWithGrants {
      // A copy takes the locks of both domains itself; the rest is alone.
      if operation == 5 {
        return bench.finish(arguments, limit: limit, beside: caller, as: .copy, perform)
      }
      return bench.finish(arguments, limit: limit, perform)
    }
    if operation == 0, result == 0, count > 0 { remember(words, caller) }
    return (note("grant_table_op \(operation) \(words.map { String($0, radix: 16) })"), result)
  }

  /// An element in the form that a 32-bit guest has.
  private func narrowed(_ words: [UInt64], of operation: Int) -> [UInt32] {
    let low = words.map { UInt32(truncatingIfNeeded: $0) }
    let both = words.flatMap { [UInt32(truncatingIfNeeded: $0), UInt32($0 >> 32)] }
    return switch operation {
    // Frames or references, then domain and offset, of both sides; length and flags; the status.
    case 5: Array(low[0..<5]) + [0]
    case 2: [both[0], both[1], 0, low[2]]
    case 9: [both[0], both[1], low[1]]
    default: both
    }
  }

  /// A store to an entry of the guest's own table.
  func storeToGrants(_ caller: Caller, _ own: [MachineFrame]) -> String {
    guard let state = caller.domain.pointee.grants, state.pointee.frameCount > 0 else {
      return "no store"
    }
    let table = MachineFrame(UInt64(state.pointee.frames[0]))
    let index = Int(anyReference() & 511)
    let flags: UInt64 = random.pick([1, 1, 1, 1, 5, 0, 2, 3, 0x101, 0x19, 0xffff])
    let user: UInt64 = random.pick([1, 2, 2, 1, 3, 0x7ff0])
    let frame = anyFrame(own).number
    let head = user << 16 | flags
    let words = bench.machine.words(of: table)
    if state.pointee.version == 1 {
      words[index] = frame << 32 | head
    } else {
      let rest: UInt64 = random.pick([0, 16 | 64 << 16, 0xffff_ffff, 2, 1])
      words[index % 256 * 2] = rest << 32 | head
      words[index % 256 * 2 + 1] = random.below(4) == 0 ? UInt64(random.below(12)) : frame
    }
    return note("grant entry \(index): \(String(head, radix: 16)), frame \(frame)")
  }

  /// Both grant a few frames to each other, as chance alone would rarely do.
  func grantEachOther(_ caller: Caller, to other: UInt64, _ own: [MachineFrame]) {
    bench.machine.poke([0x7ff0 | 1 << 32, 0, Self.window + 512], at: 4096)
    _ = bench.finish(HypercallArguments(2, Self.window, 1)) {
      bench.hypervisor.grantTableOperation(&$0, from: caller)
    }
    guard let state = caller.domain.pointee.grants else { return }
    let words = bench.machine.words(of: MachineFrame(UInt64(state.pointee.frames[0])))
    for index in 8..<12 { words[index] = own[index - 3].number << 32 | other << 16 | 1 }
  }

  private func interfereWithGrants(_ call: () -> Int64?) -> Int64? {
    guard random.below(4) == 0 else { return call() }
    bench.machine.interference = { [unowned self] frame, word in
      guard random.below(2) == 0, bench.hypervisor.frames[frame].pointee.type == .writable else {
        return
      }
      word.pointee ^= 1 << UInt64(random.pick([0, 1, 2, 3, 4, 8, 16, 17, 32, 33]))
    }
    defer { bench.machine.interference = nil }
    return call()
  }

  private func mapWords(_ own: [MachineFrame]) -> [UInt64] {
    let flags: UInt64 = random.pick([2, 2, 2, 6, 6, 3, 1, 10, 18, 22, 0, 4, 16, 0xf_0002])
    let address =
      flags & 16 == 0
      ? UInt64(random.below(20)) << 12
      : own[random.below(8)].number << 12 | UInt64(random.below(20)) << 3
        | UInt64(random.below(9) / 8)
    return [address, flags | anyReference() << 32, anyDomain(), 0]
  }

  private func unmapWords(
    _ caller: Caller, _ own: [MachineFrame], isReplace: Bool
  ) -> [UInt64] {
    var mapping = RememberedMapping(
      user: caller.domain.pointee.id,
      handle: UInt32(random.pick([0, 1, 2, 255, 256, -1 & 0xffff])),
      address: UInt64(random.below(20)) << 12, device: anyFrame(own).number << 12)
    let mine = remembered.filter { $0.user == mapping.user }
    if !mine.isEmpty, random.below(5) > 0 {
      mapping = random.pick(mine)
      if random.below(3) == 0 { mapping.device = 0 }
      if random.below(8) == 0 { mapping.address = UInt64(random.below(20)) << 12 }
    } else if random.below(2) == 0 {
      mapping.device = 0
    }
    let second =
      isReplace ? random.pick([0, UInt64(random.below(20)) << 12, 1 << 47]) : mapping.device
    return [mapping.address, second, UInt64(mapping.handle)]
  }

  private func copyWords(_ own: [MachineFrame]) -> [UInt64] {
    let flags = UInt64(random.below(4))
    let offset = UInt64(random.pick([0, 0, 16, 4088, 4096, 65535]))
    let target = UInt64(random.pick([0, 0, 64, 4090]))
    let length = UInt64(random.pick([0, 8, 16, 64, 4096, 65535]))
    let source = flags & 1 != 0 ? anyReference() : anyFrame(own).number
    let destination = flags & 2 != 0 ? anyReference() : anyFrame(own).number
    return [
      source, (flags & 1 != 0 ? anyDomain() : 0x7ff0) | offset << 16,
      destination, (flags & 2 != 0 ? anyDomain() : 0x7ff0) | target << 16,
      length | flags << 16,
    ]
  }

  private func remember(_ words: [UInt64], _ caller: Caller) {
    let word = bench.machine.peek(4096 + 16)
    guard UInt16(truncatingIfNeeded: word >> 16) == 0 else { return }
    if remembered.count > 12 { remembered.removeFirst() }
    remembered.append(
      RememberedMapping(
        user: caller.domain.pointee.id, handle: UInt32(truncatingIfNeeded: word >> 32),
        address: words[0], device: bench.machine.peek(4096 + 24)))
  }

  private func size(of operation: Int) -> Int {
    switch operation {
    case 0: MemoryLayout<gnttab_map_grant_ref>.stride
    case 5: MemoryLayout<gnttab_copy>.stride
    case 11: MemoryLayout<gnttab_swap_grant_ref>.stride
    case 12: MemoryLayout<gnttab_cache_flush>.stride
    default: MemoryLayout<gnttab_unmap_grant_ref>.stride
    }
  }

  private func anyReference() -> UInt64 {
    UInt64(random.pick([8, 8, 8, 9, 9, 10, 11, 11, 0, 1, 256, 511, 512, 0xffff_ffff]))
  }

  private func anyDomain() -> UInt64 { UInt64(random.pick([1, 1, 1, 2, 2, 2, 3, 0x7ff0])) }
}
