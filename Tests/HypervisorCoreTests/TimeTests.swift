import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct TimeTests {
  @Test(
    arguments: [
      1_000, 32_768, 1_193_182, 62_500_000, 999_999_999, 1_000_000_000, 1_000_000_001,
      1_999_999_999, 2_000_000_000, 2_000_000_001, 2_893_300_000, 5_100_000_000, 1 << 62,
    ] as [UInt64])
  func scale_isExactToMillionths(_ hertz: UInt64) throws {
    let scale = try #require(TimeScale(hertz: hertz))
    #expect(scale.multiplier >= 1 << 31)
    for seconds in [1, 60, 3600] as [UInt64] {
      let (ticks, overflow) = hertz.multipliedReportingOverflow(by: seconds)
      if overflow || ticks.leadingZeroBitCount < Int(max(scale.shift, 0)) { continue }
      let found = Double(scale.nanoseconds(ticks: ticks))
      #expect(abs(found / (Double(seconds) * 1e9) - 1) < 1e-6)
    }
  }

  @Test func scale_ofZero_isNone() { #expect(TimeScale(hertz: 0) == nil) }

  @Test(arguments: [62_500_000, 1_000_000_000, 2_893_300_000] as [UInt64])
  func ticks_lastAtLeastTheNanoseconds(_ hertz: UInt64) throws {
    let scale = try #require(TimeScale(hertz: hertz))
    for time in [0, 1, 999, 1_000_000, 123_456_789_012, 1 << 45] as [UInt64] {
      let ticks = scale.ticks(nanoseconds: time)
      #expect(scale.nanoseconds(ticks: ticks) >= time)
      #expect(scale.nanoseconds(ticks: ticks) <= time + 40)
    }
    #expect(scale.ticks(nanoseconds: .max) == .max)
  }

  @Test func publish_leavesAnEvenVersionAndTheParameters() throws {
    let guest = Booted()
    guest.bench.share(with: guest.caller)
    let scale = try #require(TimeScale(hertz: 2_893_300_000))
    let page = try #require(guest.caller.domain.pointee.sharedInfo)
    let words = guest.bench.machine.words(of: page)
    let time = TimeInfo(counter: 1000, systemTime: 5000, scale: scale)
    for _ in 0..<3 {
      let before = UInt32(truncatingIfNeeded: words[4])
      guest.bench.hypervisor.publish(time, to: guest.caller.vcpu, of: guest.caller.domain)
      #expect(UInt32(truncatingIfNeeded: words[4]) == before + 2)
    }
    #expect(words[5] == 1000)
    #expect(words[6] == 5000)
    #expect(UInt32(truncatingIfNeeded: words[7]) == scale.multiplier)
    #expect(Int8(truncatingIfNeeded: words[7] >> 32) == scale.shift)
    words[4] = 7
    guest.bench.hypervisor.publish(time, to: guest.caller.vcpu, of: guest.caller.domain)
    #expect(words[4] & 1 == 0)
    let later = time.systemTime(at: 1000 + 2_893_300_000)
    #expect(later > 1_000_004_000 && later < 1_000_006_000)
  }

  @Test func runStates_addUpToTheTimePassed() {
    var account = RunStateAccount(at: 100)
    account.enter(.runnable, at: 150)
    account.enter(.running, at: 170)
    account.enter(.blocked, at: 160)
    account.enter(.running, at: 300)
    #expect(account.time(in: .offline, at: 400) == 50)
    #expect(account.time(in: .runnable, at: 400) == 20)
    #expect(account.time(in: .blocked, at: 400) == 130)
    #expect(account.time(in: .running, at: 400) == 100)
    #expect(account.words[0] == 0)
    #expect(account.words[1] == 300)
  }
}

@Suite struct SchedulerTests {
  private final class Queue {
    let memory = UnsafeMutablePointer<SchedulerEntry>.allocate(capacity: 8)
    var scheduler: Scheduler
    let queue = UnsafeMutablePointer<Int32>.allocate(capacity: 8)

    let groups = UnsafeMutablePointer<Int32>.allocate(capacity: 16)

    init() {
      scheduler = Scheduler(
        entries: memory, queue: queue, groups: groups, capacity: 8, groupCount: 16)
    }
    deinit {
      memory.deallocate()
      queue.deallocate()
      groups.deallocate()
    }

    func add(
      _ domain: UInt16, vcpu: UInt32 = 0, weight: UInt32 = 256
    ) throws -> SchedulerSlot {
      let added = scheduler.add(
        VCPUID(vcpu), of: DomainID(domain), group: Int(domain), weight: weight, now: 0)
      let slot = try #require(added)
      _ = scheduler.wake(slot, idle: .none, now: 0)
      return slot
    }

    /// Runs processors in steps of a slice or less, as timers would.
    func run(processors: UInt8, until end: UInt64, step: UInt64 = Scheduler.slice) {
      var now: UInt64 = 0
      while now < end {
        for processor in 0..<processors {
          _ = scheduler.decide(for: ProcessorID(processor), now: now)
        }
        now += step
      }
      for processor in 0..<processors {
        scheduler.stop(on: ProcessorID(processor), as: .runnable, now: end)
      }
    }

    func time(_ slot: SchedulerSlot, _ now: UInt64) -> Double {
      Double(scheduler[slot].account.time(in: .running, at: now))
    }
  }

  @Test func equalWeights_shareEqually() throws {
    let queue = Queue()
    let slots = try (1...3).map { try queue.add($0) }
    queue.run(processors: 1, until: 3_000_000_000)
    for slot in slots { #expect(abs(queue.time(slot, 3_000_000_000) / 1e9 - 1) < 0.02) }
  }

  @Test func weights_shareInProportion() throws {
    let queue = Queue()
    let heavy = try queue.add(1, weight: 512)
    let light = try queue.add(2, weight: 256)
    queue.run(processors: 1, until: 3_000_000_000)
    #expect(abs(queue.time(heavy, 0) / queue.time(light, 0) - 2) < 0.05)
  }

  @Test func vcpusOfOneDomain_shareItsWeight() throws {
    let queue = Queue()
    let alone = try queue.add(1)
    let pair = try (0...1).map { try queue.add(2, vcpu: $0) }
    queue.run(processors: 1, until: 4_000_000_000)
    #expect(abs(queue.time(alone, 0) / 2e9 - 1) < 0.02)
    for slot in pair { #expect(abs(queue.time(slot, 0) / 1e9 - 1) < 0.04) }
  }

  @Test func processorThatRunsOneForEver_isNamedWhenOthersWait() throws {
    let queue = Queue()
    let first = try queue.add(1)
    #expect(queue.scheduler.decide(for: ProcessorID(1), now: 0).until == nil)
    #expect(queue.scheduler.endlessProcessor(but: ProcessorID(0)) == ProcessorID(1))
    #expect(queue.scheduler.endlessProcessor(but: ProcessorID(1)) == nil)
    _ = try queue.add(2)
    #expect(queue.scheduler.decide(for: ProcessorID(1), now: 1000).until != nil)
    #expect(queue.scheduler.endlessProcessor(but: ProcessorID(0)) == nil)
    queue.scheduler.stop(on: ProcessorID(1), as: .offline, now: 2000)
    #expect(queue.scheduler.state(of: first) != .running)
  }

  @Test func twoProcessors_runTwoAndShareTheRest() throws {
    let queue = Queue()
    let slots = try (1...3).map { try queue.add($0) }
    queue.run(processors: 2, until: 3_000_000_000)
    for slot in slots { #expect(abs(queue.time(slot, 0) / 2e9 - 1) < 0.03) }
  }

  @Test func sleeper_runsSoonButGetsNothingBack() throws {
    let queue = Queue()
    let worker = try queue.add(1)
    let sleeper = try queue.add(2)
    queue.scheduler.park(sleeper, as: .blocked, now: 0)
    let first = queue.scheduler.decide(for: ProcessorID(0), now: 0)
    #expect(first.next == worker)
    #expect(first.until == nil)
    // After ten seconds asleep it takes the processor at once, but has a few milliseconds of credit.
    let now: UInt64 = 10_000_000_000
    _ = queue.scheduler.decide(for: ProcessorID(0), now: now)
    #expect(queue.scheduler.wake(sleeper, idle: .none, now: now) == ProcessorID(0))
    #expect(queue.scheduler.decide(for: ProcessorID(0), now: now).next == sleeper)
    #expect(queue.scheduler.decide(for: ProcessorID(0), now: now + 6_000_000).next == worker)
  }

  @Test func wake_prefersAnIdleProcessor() throws {
    let queue = Queue()
    let slot = try queue.add(1)
    queue.scheduler.park(slot, as: .blocked, now: 0)
    #expect(queue.scheduler.wake(slot, idle: ProcessorSet(bits: 4), now: 1) == ProcessorID(2))
    #expect(queue.scheduler.wake(slot, idle: ProcessorSet(bits: 4), now: 1) == nil, "runnable")
  }

  @Test func yield_letsTheOthersRunFirst() throws {
    let queue = Queue()
    let a = try queue.add(1)
    let b = try queue.add(2)
    #expect(queue.scheduler.decide(for: ProcessorID(0), now: 0).next == a)
    queue.scheduler.yield(on: ProcessorID(0), now: 0)
    #expect(queue.scheduler.decide(for: ProcessorID(0), now: 0).next == b)
  }

  @Test func nobodyRunnable_isIdle_andRoomRunsOut() throws {
    let queue = Queue()
    #expect(queue.scheduler.decide(for: ProcessorID(0), now: 0).next == nil)
    for domain in 1...8 as ClosedRange<UInt16> { _ = try queue.add(domain) }
    #expect(queue.scheduler.add(VCPUID(0), of: DomainID(9), group: 9, weight: 1, now: 0) == nil)
  }
}
