// A weighted fair scheduler: which vcpu runs next on a processor, and for how long. Pure bookkeeping;
// the metal switches. Each vcpu has a virtual time, which runs slower the heavier its weight is, and
// the one that is furthest behind runs.

/// A vcpu in the scheduler.
public struct SchedulerEntry: Sendable {
  /// Its domain; `.invalid` in a free place.
  public internal(set) var domain: DomainID
  /// Its number.
  public internal(set) var vcpu: VCPUID
  /// Its share against others, from 1 to 65535; 256 is usual.
  public internal(set) var weight: UInt32
  /// The processor time it has had, in nanoseconds at weight 256.
  public internal(set) var virtualTime: UInt64 = 0
  /// What it does.
  public internal(set) var account: RunStateAccount
  /// Where it runs.
  public internal(set) var processor: ProcessorID?
  /// When it began to run.
  var startTime: UInt64 = 0
}

/// A vcpu's place in the scheduler.
public struct SchedulerSlot: Hashable, Sendable {
  let index: Int
}

/// What a processor is to do.
public struct SchedulerDecision: Hashable, Sendable {
  /// Who runs; nil for nobody: the processor waits.
  public var next: SchedulerSlot?
  /// When to decide again at the latest; nil when only an event changes anything.
  public var until: UInt64?
}

/// The run queue of all processors, over memory that the caller hands over.
public struct Scheduler: @unchecked Sendable {
  // SAFETY: points to `capacity` initialised entries that live as long as the scheduler.
  private let entries: UnsafeMutablePointer<SchedulerEntry>
  private let capacity: Int
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
  public init(entries: UnsafeMutablePointer<SchedulerEntry>, capacity: Int) {
    self.entries = entries
    self.capacity = capacity
    entries.initialize(
      repeating: SchedulerEntry(
        domain: .invalid, vcpu: VCPUID(0), weight: 256, account: RunStateAccount(at: 0)),
      count: capacity)
  }

  /// The entry of a vcpu.
  public subscript(slot: SchedulerSlot) -> SchedulerEntry { entries[slot.index] }

  /// Adds a vcpu, which is offline; nil when there is no room.
  public mutating func add(
    _ vcpu: VCPUID, of domain: DomainID, weight: UInt32, now: UInt64
  ) -> SchedulerSlot? {
    for index in 0..<capacity where entries[index].domain == .invalid {
      entries[index] = SchedulerEntry(
        domain: domain, vcpu: vcpu, weight: min(max(weight, 1), 65535), virtualTime: floor,
        account: RunStateAccount(at: now))
      return SchedulerSlot(index: index)
    }
    return nil
  }

  /// Removes a vcpu that does not run.
  public mutating func remove(_ slot: SchedulerSlot) {
    precondition(entries[slot.index].processor == nil, "Removed while it runs")
    entries[slot.index].domain = .invalid
  }

  /// Makes a vcpu runnable.
  ///
  /// Answers the processor that should decide again for it: an idle one among `idle`, or else the
  /// one whose vcpu is furthest ahead of it; nil where nothing changes.
  public mutating func wake(
    _ slot: SchedulerSlot, idle: ProcessorSet, now: UInt64
  ) -> ProcessorID? {
    let entry = entries + slot.index
    let state = entry.pointee.account.state
    guard state == .blocked || state == .offline else { return nil }
    let earliest = floor > Self.credit ? floor - Self.credit : 0
    entry.pointee.virtualTime = max(entry.pointee.virtualTime, earliest)
    entry.pointee.account.enter(.runnable, at: now)
    if !idle.isEmpty { return ProcessorID(UInt8(idle.bits.trailingZeroBitCount)) }
    var best: ProcessorID?
    var most = entry.pointee.virtualTime &+ Self.wakeMargin
    for index in 0..<capacity where entries[index].domain != .invalid {
      guard let processor = entries[index].processor else { continue }
      let reached = entries[index].virtualTime &+ Self.charge(entries[index], now: now)
      if reached > most {
        most = reached
        best = processor
      }
    }
    return best
  }

  /// Takes the vcpu that runs on a processor off it, in its new state, and charges it.
  public mutating func stop(on processor: ProcessorID, as state: RunState, now: UInt64) {
    guard let slot = running(on: processor) else { return }
    let entry = entries + slot.index
    entry.pointee.virtualTime &+= Self.charge(entry.pointee, now: now)
    entry.pointee.processor = nil
    entry.pointee.account.enter(state, at: now)
  }

  /// Changes the state of a vcpu that does not run, to blocked or offline.
  public mutating func park(_ slot: SchedulerSlot, as state: RunState, now: UInt64) {
    guard entries[slot.index].processor == nil else { return }
    entries[slot.index].account.enter(state, at: now)
  }

  /// Who runs on a processor.
  public func running(on processor: ProcessorID) -> SchedulerSlot? {
    for index in 0..<capacity
    where entries[index].domain != .invalid && entries[index].processor == processor {
      return SchedulerSlot(index: index)
    }
    return nil
  }

  /// Decides who runs on a processor from now on.
  ///
  /// Whoever ran there goes back among the runnable.
  public mutating func decide(for processor: ProcessorID, now: UInt64) -> SchedulerDecision {
    stop(on: processor, as: .runnable, now: now)
    var best: Int?
    var waiting = 0
    for index in 0..<capacity
    where entries[index].domain != .invalid && entries[index].account.state == .runnable {
      waiting += 1
      if best.map({ entries[index].virtualTime < entries[$0].virtualTime }) ?? true {
        best = index
      }
    }
    guard let best else { return SchedulerDecision(next: nil, until: nil) }
    floor = max(floor, entries[best].virtualTime)
    entries[best].processor = processor
    entries[best].startTime = now
    entries[best].account.enter(.running, at: now)
    return SchedulerDecision(
      next: SchedulerSlot(index: best), until: waiting > 1 ? now &+ Self.slice : nil)
  }

  /// Lets the running vcpu of a processor stand back behind the others that wait.
  public mutating func yield(on processor: ProcessorID, now: UInt64) {
    guard let slot = running(on: processor) else { return }
    var latest = entries[slot.index].virtualTime
    for index in 0..<capacity
    where entries[index].domain != .invalid && entries[index].account.state == .runnable {
      latest = max(latest, entries[index].virtualTime)
    }
    // At most a slice: a yield costs no more than a turn.
    entries[slot.index].virtualTime = min(
      latest &+ 1, entries[slot.index].virtualTime &+ Self.slice)
  }

  /// The virtual time for what an entry has run so far.
  private static func charge(_ entry: SchedulerEntry, now: UInt64) -> UInt64 {
    guard entry.processor != nil, now > entry.startTime else { return 0 }
    return (now - entry.startTime).multipliedReportingOverflow(by: 256).partialValue
      / UInt64(entry.weight)
  }
}
