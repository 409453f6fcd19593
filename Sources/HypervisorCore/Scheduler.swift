// A weighted fair scheduler: which vcpu runs next on a processor, and for how long. Pure bookkeeping;
// the metal switches. Each vcpu has a virtual time, which runs slower the heavier its weight is, and
// the one that is furthest behind runs. A weight is the domain's: its vcpus share it among those that
// want to run, so that a domain gets no more for having more of them.

/// A vcpu in the scheduler.
public struct SchedulerEntry: Sendable {
  /// Its domain; `.invalid` in a free place.
  public internal(set) var domain: DomainID
  /// Its number.
  public internal(set) var vcpu: VCPUID
  /// Its domain's share against other domains, from 1 to 65535; 256 is usual.
  public internal(set) var weight: UInt32
  /// The processor time it has had, in nanoseconds at weight 256.
  public internal(set) var virtualTime: UInt64 = 0
  /// What it does.
  public internal(set) var account: RunStateAccount
  /// Where it runs.
  public internal(set) var processor: ProcessorID?
  /// Where it ran last, and may find its translations again.
  var lastProcessor: ProcessorID?
  /// When it began to run.
  var startTime: UInt64 = 0
  /// Its domain's place in the counts of vcpus that want to run.
  var group: Int = 0
  /// Its place among the runnable; -1 for none.
  var queueIndex: Int32 = -1
}

/// A vcpu's place in the scheduler.
public struct SchedulerSlot: Hashable, Sendable {
  /// The place's number, below the scheduler's capacity.
  public let index: Int

  /// The place with a number.
  @inlinable public init(index: Int) { self.index = index }
}

/// What a processor is to do.
public struct SchedulerDecision: Hashable, Sendable {
  /// Who runs; nil for nobody: the processor waits.
  public var next: SchedulerSlot?
  /// When to decide again at the latest; nil when only an event changes anything.
  public var until: UInt64?
}

/// The run queue of all processors, over memory that the caller hands over.
///
/// What is decided on every switch costs as much as there are runnable vcpus, not as there are vcpus. Its
/// functions are `mutating` there where they change nothing, too: for a call of one that may not change
/// it, the compiler copies all processors.
public struct Scheduler: @unchecked Sendable {
  // SAFETY: these point to `capacity` initialised values, `groups` to `groupCount`, that live as long
  // as the scheduler. Indexes come from `add`, and `queue` holds indexes of entries.
  private let entries: UnsafeMutablePointer<SchedulerEntry>
  private let queue: UnsafeMutablePointer<Int32>
  /// How many vcpus of each domain run or could run.
  private let groups: UnsafeMutablePointer<Int32>
  private let groupCount: Int
  private var queueCount = 0
  private let capacity: Int
  /// Who runs on each processor; -1 for nobody.
  private var current = InlineArray<64, Int32>(repeating: -1)
  /// The processors where somebody runs.
  private var busy = ProcessorSet.none
  /// Those that do not decide again of themselves: nobody waited when they decided.
  private var endless = ProcessorSet.none
  /// The virtual time that no runnable vcpu is behind; it never goes back.
  public private(set) var floor: UInt64 = 0

  /// How long a vcpu runs while others wait, at most.
  public static var slice: UInt64 { 10_000_000 }
  /// How far behind the others a vcpu that has slept may be: it runs soon, and not for as long as it
  /// slept.
  public static var credit: UInt64 { 5_000_000 }
  /// A vcpu that wakes takes the processor from one that is ahead of it by more than this.
  public static var wakeMargin: UInt64 { 1_000_000 }

  /// A scheduler for so many vcpus.
  public init(
    entries: UnsafeMutablePointer<SchedulerEntry>, queue: UnsafeMutablePointer<Int32>,
    groups: UnsafeMutablePointer<Int32>, capacity: Int, groupCount: Int
  ) {
    self.entries = entries
    self.queue = queue
    self.groups = groups
    self.capacity = capacity
    self.groupCount = groupCount
    groups.initialize(repeating: 0, count: groupCount)
    queue.initialize(repeating: -1, count: capacity)
    entries.initialize(
      repeating: SchedulerEntry(
        domain: .invalid, vcpu: VCPUID(0), weight: 256, account: RunStateAccount(at: 0)),
      count: capacity)
  }

  /// The entry of a vcpu.
  public subscript(slot: SchedulerSlot) -> SchedulerEntry { entries[slot.index] }

  /// The state of a vcpu.
  public func state(of slot: SchedulerSlot) -> RunState { entries[slot.index].account.state }

  /// Where a vcpu runs; nil while it does not.
  public func processor(of slot: SchedulerSlot) -> ProcessorID? { entries[slot.index].processor }

  /// How many vcpus could run and wait for a processor.
  public var waitingCount: Int { queueCount }

  /// A processor other than one that would let its vcpu run for ever although others wait.
  public func endlessProcessor(but here: ProcessorID) -> ProcessorID? {
    var others = endless
    others.remove(here)
    return others.isEmpty ? nil : ProcessorID(UInt8(others.bits.trailingZeroBitCount))
  }

  /// Adds a vcpu, which is offline; nil when there is no room.
  ///
  /// The group is the same number, below the count of groups, for all vcpus of a domain.
  public mutating func add(
    _ vcpu: VCPUID, of domain: DomainID, group: Int, weight: UInt32, now: UInt64
  ) -> SchedulerSlot? {
    guard group >= 0, group < groupCount else { return nil }
    for index in 0..<capacity where entries[index].domain == .invalid {
      entries[index] = SchedulerEntry(
        domain: domain, vcpu: vcpu, weight: min(max(weight, 1), 65535), virtualTime: floor,
        account: RunStateAccount(at: now), group: group)
      return SchedulerSlot(index: index)
    }
    return nil
  }

  /// Removes a vcpu that does not run.
  public mutating func remove(_ slot: SchedulerSlot) {
    precondition(entries[slot.index].processor == nil, "Removed while it runs")
    dequeue(slot.index)
    enter(slot.index, .offline, at: entries[slot.index].account.entryTime)
    entries[slot.index].domain = .invalid
  }

  /// Makes a vcpu runnable.
  ///
  /// Answers the processor that should decide again for it: an idle one among `idle`, or else the
  /// one whose vcpu is furthest ahead of it, or else one that would let its vcpu run for ever; nil
  /// where nothing changes.
  public mutating func wake(
    _ slot: SchedulerSlot, idle: ProcessorSet, now: UInt64
  ) -> ProcessorID? {
    let entry = entries + slot.index
    let state = entry.pointee.account.state
    guard state == .blocked || state == .offline else { return nil }
    let earliest = floor > Self.credit ? floor - Self.credit : 0
    entry.pointee.virtualTime = max(entry.pointee.virtualTime, earliest)
    enter(slot.index, .runnable, at: now)
    enqueue(slot.index)
    if let last = entry.pointee.lastProcessor, idle.contains(last) { return last }
    if !idle.isEmpty { return ProcessorID(UInt8(idle.bits.trailingZeroBitCount)) }
    var best: ProcessorID?
    var most = entry.pointee.virtualTime &+ Self.wakeMargin
    var rest = busy.bits
    while rest != 0 {
      let number = rest.trailingZeroBitCount
      rest &= rest - 1
      let running = entries + Int(current[number])
      let reached = running.pointee.virtualTime &+ charge(running, now: now)
      if reached > most {
        most = reached
        best = ProcessorID(UInt8(truncatingIfNeeded: number))
      }
    }
    if let best { return best }
    return endless.isEmpty ? nil : ProcessorID(UInt8(endless.bits.trailingZeroBitCount))
  }

  /// Takes the vcpu that runs on a processor off it, in its new state, and charges it.
  public mutating func stop(on processor: ProcessorID, as state: RunState, now: UInt64) {
    guard let slot = slot(on: processor) else { return }
    let entry = entries + slot.index
    entry.pointee.virtualTime &+= charge(entry, now: now)
    entry.pointee.processor = nil
    current[Int(processor.rawValue & 63)] = -1
    busy.remove(processor)
    endless.remove(processor)
    enter(slot.index, state, at: now)
    if state == .runnable { enqueue(slot.index) }
  }

  /// Changes the state of a vcpu that does not run, to blocked or offline.
  public mutating func park(_ slot: SchedulerSlot, as state: RunState, now: UInt64) {
    guard entries[slot.index].processor == nil else { return }
    dequeue(slot.index)
    enter(slot.index, state, at: now)
  }

  /// Who runs on a processor.
  public func running(on processor: ProcessorID) -> SchedulerSlot? {
    let index = current[Int(processor.rawValue & 63)]
    return index >= 0 ? SchedulerSlot(index: Int(index)) : nil
  }

  /// The same on the way of a switch.
  private mutating func slot(on processor: ProcessorID) -> SchedulerSlot? {
    let index = current[Int(processor.rawValue & 63)]
    return index >= 0 ? SchedulerSlot(index: Int(index)) : nil
  }

  /// Decides who runs on a processor from now on.
  ///
  /// Whoever ran there goes back among the runnable.
  public mutating func decide(for processor: ProcessorID, now: UInt64) -> SchedulerDecision {
    if queueCount == 0, let slot = slot(on: processor) {
      // Nobody else waits: it goes on.
      let entry = entries + slot.index
      entry.pointee.virtualTime &+= charge(entry, now: now)
      entry.pointee.startTime = now
      endless.insert(processor)
      floor = max(floor, entry.pointee.virtualTime)
      return SchedulerDecision(next: slot, until: nil)
    }
    stop(on: processor, as: .runnable, now: now)
    guard queueCount > 0 else { return SchedulerDecision(next: nil, until: nil) }
    var best = Int(queue[0])
    for place in 1..<queueCount {
      let index = Int(queue[place])
      if entries[index].virtualTime < entries[best].virtualTime { best = index }
    }
    dequeue(best)
    let entry = entries + best
    floor = max(floor, entry.pointee.virtualTime)
    entry.pointee.processor = processor
    entry.pointee.lastProcessor = processor
    entry.pointee.startTime = now
    busy.insert(processor)
    if queueCount == 0 { endless.insert(processor) }
    enter(best, .running, at: now)
    current[Int(processor.rawValue & 63)] = Int32(truncatingIfNeeded: best)
    return SchedulerDecision(
      next: SchedulerSlot(index: best), until: queueCount > 0 ? now &+ Self.slice : nil)
  }

  /// Lets the running vcpu of a processor stand back behind the others that wait.
  public mutating func yield(on processor: ProcessorID, now: UInt64) {
    guard let slot = slot(on: processor) else { return }
    var latest = entries[slot.index].virtualTime
    for place in 0..<queueCount {
      latest = max(latest, entries[Int(queue[place])].virtualTime)
    }
    // At most a slice: a yield costs no more than a turn.
    entries[slot.index].virtualTime = min(
      latest &+ 1, entries[slot.index].virtualTime &+ Self.slice)
  }

  private mutating func enqueue(_ index: Int) {
    guard entries[index].queueIndex < 0 else { return }
    queue[queueCount] = Int32(truncatingIfNeeded: index)
    entries[index].queueIndex = Int32(truncatingIfNeeded: queueCount)
    queueCount += 1
  }

  /// The last of the queue takes the place of the one that leaves.
  private mutating func dequeue(_ index: Int) {
    let place = entries[index].queueIndex
    guard place >= 0 else { return }
    queueCount -= 1
    let moved = queue[queueCount]
    queue[Int(place)] = moved
    entries[Int(moved)].queueIndex = place
    entries[index].queueIndex = -1
  }

  /// Changes a state, and with it the count of those of the domain that want to run.
  private mutating func enter(_ index: Int, _ state: RunState, at now: UInt64) {
    let entry = entries + index
    let was = entry.pointee.account.state
    let wanted = was == .running || was == .runnable
    let wants = state == .running || state == .runnable
    if wanted != wants { groups[entry.pointee.group] += wants ? 1 : -1 }
    entry.pointee.account.enter(state, at: now)
  }

  /// The virtual time for what an entry has run so far.
  private mutating func charge(_ entry: UnsafeMutablePointer<SchedulerEntry>, now: UInt64) -> UInt64
  {
    guard entry.pointee.processor != nil, now > entry.pointee.startTime else { return 0 }
    let ran = now - entry.pointee.startTime
    let sharers = groups[entry.pointee.group]
    if sharers <= 1 && entry.pointee.weight == 256 { return ran }
    return ran &* 256 &* UInt64(max(sharers, 1)) / UInt64(entry.pointee.weight)
  }
}
