// Random hypercalls by guests that want to break out. Everything follows from the seed, so a failure
// is found again from its number alone.

import HypervisorCore

/// A reproducible stream of numbers.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// A stream of its own for each seed.
  public init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x1234_5678_9abc_def1 }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// A number below a bound.
  public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// One of a list.
  public mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
}

/// Two hostile guests, sometimes a privileged one, and a bench that they share.
public final class HostileGuest {
  /// The bench.
  public let bench: Bench
  /// The calls made so far, if they are recorded.
  public private(set) var history: [String] = []
  private let isRecording: Bool
  var random: SeededGenerator
  private var callers: [(caller: Caller, frames: [MachineFrame])] = []
  /// Grants that the guests have mapped, as far as they remember.
  var remembered: [RememberedMapping] = []
  private let freeAtStart: UInt64

  /// Guests with booted page tables.
  public init(seed: UInt64, isRecording: Bool = false) {
    self.isRecording = isRecording
    random = SeededGenerator(seed: seed)
    bench = Bench(frameCount: 56)
    freeAtStart = bench.hypervisor.state.pointee.freeCount
    let privileged = random.below(8) == 0
    let width = random.below(4)
    callers.append(
      bench.makeDomain(1, frames: 14, privileged: privileged, is32Bit: width & 1 != 0))
    callers.append(bench.makeDomain(2, frames: 10, is32Bit: width == 3))
    for one in callers {
      bench.share(with: one.caller)
      boot(one.caller, one.frames)
    }
    // A channel between both, which chance alone would rarely make.
    _ = bench.eventOperation(6, [0x7ff0 | 2 << 16], from: callers[0].caller)
    _ = bench.eventOperation(0, [1, 1], from: callers[1].caller)
    grantEachOther(callers[0].caller, to: 2, callers[0].frames)
    grantEachOther(callers[1].caller, to: 1, callers[1].frames)
    if random.below(3) == 0 { enterFIFO(callers[0].caller, callers[0].frames) }
  }

  /// Four tables, the last of which maps memory writable and tables read-only.
  private func boot(_ caller: Caller, _ frames: [MachineFrame]) {
    if caller.domain.pointee.is32Bit { return bootCompat(caller, frames) }
    for index in 0..<3 { bench.prepare(frames[index], 0, frames[index + 1], 7) }
    for (index, frame) in frames.enumerated() {
      bench.prepare(frames[3], index, frame, index < 8 ? 5 : 7)
    }
    _ = bench.extended(3, frames[0].number, from: caller)
    _ = bench.extended(5, frames[0].number, from: caller)
  }

  /// The same of three levels: the fourth entry of the top names a table of level 2 of its own.
  private func bootCompat(_ caller: Caller, _ frames: [MachineFrame]) {
    bench.prepare(frames[0], 0, frames[1], 1)
    bench.prepare(frames[0], 3, frames[2], 1)
    bench.prepare(frames[1], 0, frames[3], 7)
    for (index, frame) in frames.enumerated() {
      bench.prepare(frames[3], index, frame, index < 8 ? 5 : 7)
    }
    _ = bench.extended(2, frames[0].number, from: caller)
    _ = bench.extended(5, frames[0].number, from: caller)
  }

  /// Makes so many random calls and checks the invariants after each; then both domains die, in any
  /// order and with or without calls between, and every frame must be free again.
  public func run(calls: Int) throws(Violation) {
    try bench.recount()
    for _ in 0..<calls {
      guard makeCall(by: random.below(4) == 0 ? 1 : 0) else {
        throw Violation(description: "a call does not end")
      }
      try bench.recount()
    }
    bench.machine.preemptAfter = nil
    let first = random.below(2)
    if random.below(2) == 0 {
      try die(callers[first].caller.domain)
      for _ in 0..<random.below(4) {
        guard makeCall(by: 1 - first) else { throw Violation(description: "a call does not end") }
        try bench.recount()
      }
      try die(callers[1 - first].caller.domain)
    } else {
      for one in callers {
        bench.hypervisor.beginDeath(of: one.caller.domain)
        try bench.recount()
      }
      for index in [first, 1 - first] { try die(callers[index].caller.domain) }
    }
    for index in [first, 1 - first] {
      let domain = callers[index].caller.domain
      guard bench.hypervisor.finishDeath(of: domain) else {
        throw Violation(description: "domain \(domain.pointee.id.rawValue) left frames")
      }
      for vcpu in 0..<2 {
        bench.hypervisor.freeMonitorTable(of: callers[index].caller.domain.pointee.vcpus[vcpu])
      }
    }
    try bench.recount()
    guard bench.hypervisor.state.pointee.freeCount == freeAtStart else {
      throw Violation(description: "frames lost")
    }
  }

  /// Takes a domain apart, with interruptions.
  private func die(_ domain: DomainPointer) throws(Violation) {
    bench.hypervisor.beginDeath(of: domain)
    for attempt in 0..<1_000 {
      if attempt < 20, random.below(2) == 0 { bench.machine.preemptAfter = random.below(4) }
      defer { bench.machine.preemptAfter = nil }
      var isDone = true
      do { try bench.hypervisor.continueDeath(of: domain) } catch { isDone = false }
      try bench.recount()
      if isDone { return }
    }
    throw Violation(description: "death does not end")
  }

  func anyFrame(_ own: [MachineFrame]) -> MachineFrame {
    switch random.below(10) {
    case 0: MachineFrame(UInt64(random.below(bench.machine.frameCount + 2)))
    case 1: random.pick([MachineFrame(0), MachineFrame(55), MachineFrame(1 << 39)])
    default: own[random.below(min(own.count, 8))]
    }
  }

  private func anyIndex() -> UInt64 {
    UInt64(random.pick([0, 0, 0, 1, 2, 3, 4, 5, 255, 256, 271, 272, 511]))
  }

  private func anyEntry(_ own: [MachineFrame]) -> UInt64 {
    let flags: UInt64 = random.pick([0, 1, 1, 3, 3, 5, 5, 5, 7, 7, 7, 0x67, 0x87, 0x107, 0x1f])
    let high: UInt64 = random.pick([0, 0, 0, 0, 1 << 63, 1 << 52, 1 << 62, 0x7ff << 52])
    return anyFrame(own).number << 12 & 0x000f_ffff_ffff_f000 | flags | high
  }

  private func anyAddress() -> UInt64 {
    let index = UInt64(random.below(16))
    return random.pick([
      index << 12, index << 12, index << 12, index << 21, index << 30, 0xffff_8000_0000_0000,
      0xffff_8800_0000_0000 + index << 12, 1 << 47, ~0xfff,
    ])
  }

  /// Makes a call; false where it goes on being interrupted although nothing interrupts it.
  private func makeCall(by index: Int) -> Bool {
    if random.below(4) == 0 { bench.machine.preemptAfter = random.below(6) }
    bench.isBesideOthers = random.below(3) > 0
    defer {
      bench.machine.preemptAfter = nil
      bench.isBesideOthers = false
    }
    let (caller, own) = callers[index]
    // Sometimes the call is left after an interruption, as by a guest that changes its mind.
    let limit = random.below(6) == 0 ? 1 : 1_000
    let result: Int64?
    let name: String
    switch random.below(35) {
    case 0...4: (name, result) = updateBatch(caller, own, limit)
    case 5...8: (name, result) = extendedBatch(caller, own, limit)
    case 9, 10:
      let words = HypercallArguments(
        anyAddress(), anyEntry(own),
        random.pick([0, 1, 2, 3, 5, 6, FakeMachine.windowBase.value | 2, 0xffff_8000_0000_0001]))
      name = note("update_va_mapping \(hex(words[0])) \(hex(words[1])) \(hex(words[2]))")
      result = bench.finish(words, limit: limit, beside: caller) {
        bench.hypervisor.updateVAMapping(&$0, from: caller)
      }
    case 11, 12: (name, result) = memoryCall(caller, own, limit)
    case 13: (name, result) = descriptorCall(caller, own, limit)
    case 16, 17, 19: (name, result) = eventCall(caller, own, limit)
    case 20: (name, result) = pollCall(caller)
    case 22, 23: (name, result) = vcpuCall(caller, own, limit)
    case 21: (name, result) = (storeToShared(caller), 0)
    case 18: (name, result) = registerInfo(caller, own)
    case 24...31: (name, result) = grantCall(caller, own, limit)
    case 34: (name, result) = suspend(caller, own)
    case 32, 33: (name, result) = (storeToGrants(caller, own), 0)
    case 14:
      (name, result) = (storeToTable(caller, own), 0)
    default:
      (name, result) = (storeToMemory(own), 0)
    }
    if isRecording {
      history.append("domain \(caller.domain.pointee.id.rawValue): \(name) = \(result ?? -9999)")
    }
    return result != nil || limit == 1
  }

  /// Text for the history; not made where nobody reads it.
  func note(_ text: @autoclosure () -> String) -> String { isRecording ? text() : "" }

  private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  private func updateBatch(
    _ caller: Caller, _ own: [MachineFrame], _ limit: Int
  ) -> (String, Int64?) {
    let count = 1 + random.below(4)
    var words: [UInt64] = []
    for _ in 0..<count {
      let command: UInt64 = random.pick([0, 0, 0, 0, 1, 2, 3, 4])
      words.append(anyFrame(own).number << 12 | anyIndex() << 3 | command)
      words.append(random.below(4) == 0 ? 0 : anyEntry(own))
    }
    bench.machine.poke(words, at: 256)
    let foreign: UInt64 =
      random.below(4) > 0
      ? 0x7ff0 : random.pick([1, 2, 0x7ff1, 0x7ff2, 0x3_7ff0])
    let result = bench.finish(
      HypercallArguments(
        FakeMachine.windowBase.value + 256, UInt64(count), FakeMachine.windowBase.value, foreign),
      limit: limit, beside: caller
    ) { bench.hypervisor.mmuUpdate(&$0, from: caller) }
    return (note("mmu_update \(words.map(hex)) for \(hex(foreign))"), result)
  }

  private func extendedBatch(
    _ caller: Caller, _ own: [MachineFrame], _ limit: Int
  ) -> (String, Int64?) {
    let count = 1 + random.below(3)
    var words: [UInt64] = []
    for _ in 0..<count {
      words.append(
        UInt64(
          random.pick([0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 15, 15, 16, 17, 6, 8, 13, 21])))
      words.append(random.below(20) == 0 ? 0 : anyFrame(own).number)
      words.append(anyFrame(own).number)
    }
    bench.poke(operations: words, at: 256, for: caller)
    let result = bench.finish(
      HypercallArguments(
        FakeMachine.windowBase.value + 256, UInt64(count), 0,
        random.pick([0x7ff0, 0x7ff0, 0x7ff0, 2])),
      limit: limit, beside: caller
    ) { bench.hypervisor.mmuExtendedOperation(&$0, from: caller) }
    return (note("mmuext_op \(words.map(hex))"), result)
  }

  private func memoryCall(
    _ caller: Caller, _ own: [MachineFrame], _ limit: Int
  ) -> (String, Int64?) {
    let command: UInt64 = random.pick([0, 1, 1, 6, 6, 11, 11, 12, 3])
    let count = UInt64(random.below(4))
    let order: UInt64 = random.pick([0, 0, 0, 1, 2, 40])
    let base = FakeMachine.windowBase.value
    var words: [UInt64] = [base + 1024, count, order, 0x7ff0]
    words += [base + 2048, random.below(2) == 0 ? count : count << order, 0, 0x7ff0, 0]
    bench.machine.poke(words, at: 0)
    bench.machine.poke((0..<8).map { _ in anyFrame(own).number }, at: 1024)
    bench.machine.poke((0..<8).map { _ in UInt64(random.below(64)) }, at: 2048)
    let result = bench.finish(HypercallArguments(command, base), limit: limit) {
      bench.hypervisor.memoryOperation(&$0, from: caller)
    }
    return (note("memory_op \(command), \(count) of order \(order)"), result)
  }

  private func descriptorCall(
    _ caller: Caller, _ own: [MachineFrame], _ limit: Int
  ) -> (String, Int64?) {
    if random.below(2) == 0 {
      let list = (0..<14).map { _ in anyFrame(own).number }
      bench.machine.poke(list, at: 0)
      let entries: UInt64 = random.pick([0, 1, 512, 513, 1024, 7168, 7169])
      let result = bench.finish(
        HypercallArguments(FakeMachine.windowBase.value, entries), limit: limit
      ) { bench.hypervisor.setGDT(&$0, from: caller) }
      return (note("set_gdt \(list.prefix(3)), \(entries)"), result)
    }
    let words = HypercallArguments(anyFrame(own).number << 12 | anyIndex() << 3, random.next())
    let result = bench.finish(words, limit: limit, beside: caller) {
      bench.hypervisor.updateDescriptor(&$0, from: caller)
    }
    return (note("update_descriptor \(hex(words[0])) \(hex(words[1]))"), result)
  }

  private func registerInfo(_ caller: Caller, _ own: [MachineFrame]) -> (String, Int64?) {
    let frame = anyFrame(own)
    let offset = UInt32(random.pick([0, 8, 4032, 4040, 4]))
    let vcpu = caller.domain.pointee.vcpus[random.below(2)]
    var result: Int64 = 0
    do throws(HypercallError) {
      try bench.hypervisor.registerInfo(
        of: vcpu, in: frame, offset: offset, domain: caller.domain)
    } catch { result = -error.rawValue }
    return (note("register_vcpu_info \(frame.number) \(offset)"), result)
  }

  private func storeToTable(_ caller: Caller, _ own: [MachineFrame]) -> String {
    let address = anyAddress() | UInt64(random.below(4096))
    let value = anyEntry(own)
    let size = random.pick([1, 2, 4, 8, 8, 8, 9])
    let place = GuestVirtualAddress(address)
    let expected: UInt64? = random.below(3) == 0 ? 0 : nil
    let answer =
      bench.isBesideOthers
      ? bench.emulateBeside(
        at: place, value: value, byteCount: size, expected: expected, from: caller)
      : try? bench.hypervisor.emulateTableWrite(
        at: place, value: value, byteCount: size, expected: expected, from: caller)
    do { try bench.hypervisor.drain(caller.domain) } catch {}
    return note(
      "store of \(size) bytes \(hex(value)) at \(hex(address)): \(answer.map(hex) ?? "fault")")
  }

  /// A guest stores to memory of its own that is no table, as through any writable mapping.
  private func storeToMemory(_ own: [MachineFrame]) -> String {
    let frame = own[random.below(own.count)]
    let record = bench.hypervisor.frames[frame].pointee
    let isTable = record.typeUses > 0 && record.type != .writable
    guard !isTable, record.flags.isDisjoint(with: [.validating, .tearing]),
      record.owner.isOrdinary
    else { return "no store" }
    let index = Int(anyIndex())
    bench.machine.words(of: frame)[index] = anyEntry(own)
    return note("store to frame \(frame.number), word \(index)")
  }
}

/// Runs sequences with seeds from a range; the first failure is told with its seed and calls.
public func fuzz(seeds: Range<UInt64>, calls: Int) -> String? {
  for seed in seeds {
    do { try HostileGuest(seed: seed).run(calls: calls) } catch {
      let again = HostileGuest(seed: seed, isRecording: true)
      try? again.run(calls: calls)
      return "seed \(seed): \(error)\n" + again.history.suffix(30).joined(separator: "\n")
    }
  }
  return nil
}
