// How long a vcpu was in which state: vcpu_runstate_info. abi/vcpu.yaml.

/// What a vcpu does.
public enum RunState: UInt32, Hashable, Sendable {
  /// It runs on a processor.
  case running = 0
  /// It could run, and waits for a processor.
  case runnable = 1
  /// It waits for an event.
  case blocked = 2
  /// It is down, or its domain paused.
  case offline = 3
}

/// The time that a vcpu has spent in each state.
///
/// The sum of all is the time since its creation.
public struct RunStateAccount: Sendable {
  /// The present state.
  public private(set) var state = RunState.offline
  /// System time at which it was entered.
  public private(set) var entryTime: UInt64
  private var times = InlineArray<4, UInt64>(repeating: 0)

  /// An account that begins at a system time.
  public init(at now: UInt64) { entryTime = now }

  /// Enters a state.
  ///
  /// Processors' clocks may differ by a little: a time before the last one counts as no time.
  public mutating func enter(_ next: RunState, at now: UInt64) {
    times[Int(state.rawValue)] &+= now > entryTime ? now - entryTime : 0
    state = next
    entryTime = max(now, entryTime)
  }

  /// The time in a state, the present one up to now included.
  public func time(in asked: RunState, at now: UInt64) -> UInt64 {
    let open = asked == state && now > entryTime ? now - entryTime : 0
    return times[Int(asked.rawValue)] &+ open
  }

  /// The six words of vcpu_runstate_info: state, entry time, times up to the last change.
  public var words: InlineArray<6, UInt64> {
    [
      UInt64(state.rawValue), entryTime, times[0], times[1], times[2], times[3],
    ]
  }
}
