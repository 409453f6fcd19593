// Two domains on two processors, each of which updates its tables, sends the other events, copies to and
// from it, and maps what it grants, all at once. Then every invariant is recounted.

import Dispatch
import HypervisorCore

/// Guests that run at the same time in one hypervisor.
public final class ThreadedGuests: @unchecked Sendable {
  let bench = Bench(frameCount: 72)
  let machine: ThreadedMachine
  let hypervisor: Hypervisor<ThreadedMachine>
  private(set) var callers: [(caller: Caller, frames: [MachineFrame])] = []
  private let freeAtStart: UInt64
  static let window = FakeMachine.windowBase.value
  /// How many calls ran beside the other's, and how many of them went on alone.
  public var besideCount: Int { besideCounts[0] + besideCounts[1] }
  /// As above.
  public var aloneCount: Int { aloneCounts[0] + aloneCounts[1] }
  // SAFETY: each thread has a word of its own.
  private let besideCounts = UnsafeMutablePointer<Int>.allocate(capacity: 2)
  private let aloneCounts = UnsafeMutablePointer<Int>.allocate(capacity: 2)

  /// Two domains with channels and grants to each other, the first with its events in queues.
  public init() {
    besideCounts.initialize(repeating: 0, count: 2)
    aloneCounts.initialize(repeating: 0, count: 2)
    freeAtStart = bench.hypervisor.state.pointee.freeCount
    for number: UInt16 in 1...2 {
      let one = bench.makeDomain(number, frames: 14)
      bench.share(with: one.caller)
      for index in 0..<3 { bench.prepare(one.frames[index], 0, one.frames[index + 1], 7) }
      for index in 4..<14 { bench.prepare(one.frames[3], index, one.frames[index], 7) }
      _ = bench.extended(3, one.frames[0].number, from: one.caller)
      _ = bench.extended(5, one.frames[0].number, from: one.caller)
      callers.append(one)
    }
    _ = bench.eventOperation(6, [0x7ff0 | 2 << 16], from: callers[0].caller)
    _ = bench.eventOperation(0, [1, 1], from: callers[1].caller)
    _ = bench.eventOperation(7, [0], from: callers[0].caller)
    _ = bench.eventOperation(7, [0], from: callers[1].caller)
    let first = callers[0]
    _ = bench.eventOperation(
      11, [UInt32(truncatingIfNeeded: first.frames[12].number), 0, 0, 0], from: first.caller)
    _ = bench.eventOperation(
      12, [UInt32(truncatingIfNeeded: first.frames[13].number), 0], from: first.caller)
    for index in 0..<2 {
      bench.machine.poke([0x7ff0 | 1 << 32, 0, Self.window + 512], at: 4096)
      let caller = callers[index].caller
      let one = bench.hypervisor
      _ = bench.finish(HypercallArguments(2, Self.window + 4096, 1)) {
        one.grantTableOperation(&$0, from: caller)
      }
      guard let state = callers[index].caller.domain.pointee.grants else { continue }
      let table = bench.machine.words(of: MachineFrame(UInt64(state.pointee.frames[0])))
      for entry in 0..<4 {
        table[8 + entry] =
          callers[index].frames[8 + entry].number << 32 | UInt64(2 - index) << 16 | 1
      }
    }
    machine = ThreadedMachine(bench.machine)
    bench.hypervisor.state.pointee.clock.online.insert(ProcessorID(1))
    hypervisor = Hypervisor(
      machine: machine, frames: bench.hypervisor.frames,
      physicalFrames: bench.hypervisor.physicalFrames, domains: bench.hypervisor.domains,
      state: bench.hypervisor.state)
    for index in 0..<2 {
      callers[index].caller.vcpu.pointee.processor = ProcessorID(UInt8(index))
    }
  }

  deinit {
    besideCounts.deallocate()
    aloneCounts.deallocate()
  }

  /// Lets both make so many calls at once, checks everything, and ends both domains.
  public func run(seed: UInt64, calls: Int) throws(Violation) {
    try bench.recount()
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      machine.become(index)
      var random = SeededGenerator(seed: seed &* 2 &+ UInt64(index))
      for _ in 0..<calls { makeCall(index, &random) }
    }
    // The processors have no TLBs: what the first recount saw is forgotten.
    bench.machine.flushTLB()
    try bench.recount()
    for one in callers { bench.hypervisor.beginDeath(of: one.caller.domain) }
    for one in callers { do { try bench.hypervisor.continueDeath(of: one.caller.domain) } catch {} }
    for one in callers where !bench.hypervisor.finishDeath(of: one.caller.domain) {
      throw Violation(description: "domain \(one.caller.domain.pointee.id.rawValue) left frames")
    }
    guard bench.hypervisor.state.pointee.freeCount == freeAtStart else {
      throw Violation(description: "frames lost")
    }
  }

  /// One call, as the machine makes it, until it is done.
  private func makeCall(_ index: Int, _ random: inout SeededGenerator) {
    let (caller, own) = callers[index]
    let domain = caller.domain
    func frame() -> UInt64 { random.pick(own).number }
    func entry() -> UInt64 { frame() << 12 | random.pick([0, 5, 5, 7, 7]) as UInt64 }
    let words: [UInt64]
    switch random.below(12) {
    case 0...3:
      words = [
        random.pick(Array(own[0..<5])).number << 12 | UInt64(random.below(16)) << 3, entry(),
      ]
      machine.poke(words, at: 0)
      perform(index, HypercallArguments(Self.window, 1, 0, 0x7ff0), domain) {
        hypervisor.mmuUpdate(&$0, from: caller)
      }
    case 4, 5:
      words = [random.pick([0, 1, 2, 3, 4, 4, 4, 5, 6, 15, 16, 17]), frame(), frame()]
      machine.poke(words, at: 0)
      perform(index, HypercallArguments(Self.window, 1, 0, 0x7ff0), domain) {
        hypervisor.mmuExtendedOperation(&$0, from: caller)
      }
    case 6:
      words = [UInt64(random.below(16)) << 12, entry(), random.pick([0, 1, 2, 5, 6])]
      perform(index, HypercallArguments(words[0], words[1], words[2]), domain) {
        hypervisor.updateVAMapping(&$0, from: caller)
      }
    case 7, 8:
      machine.poke([UInt64(1 + random.below(2))], at: 0)
      perform(index, HypercallArguments(random.below(3) == 0 ? 9 : 4, Self.window), nil) {
        hypervisor.eventChannelOperation(&$0, from: caller)
      }
    case 9: copyGrant(index, &random)
    case 10: mapGrant(index, &random)
    default: store(to: random.pick(own), entry(), of: domain, at: random.below(16))
    }
  }

  func perform(
    _ index: Int, _ arguments: HypercallArguments, _ domain: DomainPointer?,
    _ call: (inout HypercallArguments) -> HypercallResult
  ) {
    var arguments = arguments
    for _ in 0..<1_000 {
      let (result, asksForAll) = machine.withPart(and: domain) { call(&arguments) }
      besideCounts[index] += 1
      guard result == .again else { return }
      guard asksForAll else { continue }
      aloneCounts[index] += 1
      if machine.withAll({ call(&arguments) }) != .again { return }
    }
    preconditionFailure("A call does not end")
  }

  /// Bytes of a frame of the other's that it grants, to a frame of its own or back.
  private func copyGrant(_ index: Int, _ random: inout SeededGenerator) {
    let (caller, own) = callers[index]
    let granted = UInt64(8 + random.below(5))
    let other = UInt64(2 - index)
    let mine = random.pick(own).number
    let isRead = random.below(2) == 0
    machine.poke(
      isRead
        ? [granted, other, mine, 0x7ff0, 64 | 1 << 16]
        : [mine, 0x7ff0, granted, other, 64 | 2 << 16],
      at: 0)
    perform(index, HypercallArguments(5, Self.window, 1), nil) {
      hypervisor.grantTableOperation(&$0, from: caller)
    }
  }

  /// A grant of the other's in an entry of its own, alone; what overwrites the entry then meets a frame
  /// of the other's.
  private func mapGrant(_ index: Int, _ random: inout SeededGenerator) {
    let caller = callers[index].caller
    let address = UInt64(4 + random.below(12)) << 12
    let reference = UInt64(8 + random.below(4))
    machine.poke([address, 2 | reference << 32, UInt64(2 - index), 0], at: 0)
    var arguments = HypercallArguments(0, Self.window, 1)
    for _ in 0..<1_000 {
      if machine.withAll({ hypervisor.grantTableOperation(&arguments, from: caller) }) != .again {
        return
      }
    }
  }

  /// A store to memory that is no table, as through any writable mapping.
  private func store(
    to frame: MachineFrame, _ value: UInt64, of domain: DomainPointer, at index: Int
  ) {
    _ = machine.withPart(and: domain) {
      let record = hypervisor.frames[frame].pointee
      guard record.owner == domain.pointee.id, record.typeUses == 0 || record.type == .writable,
        record.flags.isDisjoint(with: .inTransit)
      else { return }
      machine.words(of: frame)[index] = value
    }
  }
}
