// The faults that a control domain for tests can have, by their names: what is done to the guest, how
// often, and what a sound guest makes of it.

import ControlCore

/// What a fault is done to.
public enum FaultTarget: UInt8, Sendable {
  /// A disk's ring, ports, keys or states.
  case block
  /// A network interface's.
  case net
  /// The store's page.
  case store
  /// The console's page.
  case console
  /// The domain itself: what the toolstack asks of it, and what it is given of time and memory.
  case domain
}

/// What is done.
public enum FaultAct: UInt8, Sendable {
  // To responses of either ring.
  case wrongID, hugeID, oldSerial, doubled, dropped, late, reordered, wrongOperation, unknownStatus
  case error, unsupported, rewritten
  // To the ring's header and slots.
  case indexAhead, indexBack, overrun, scribbledHeader, scribbledSlots
  // To responses that carry frames, or that say what became of one.
  case null, offset, oversized, short, empty, moreData, extraEndless, extraType, largeZero,
    largeType
  // To grants and ports.
  case keepsData, keepsRings, noEvents, eventStorm, portClosed
  // To the device.
  case closes, vanishes, stateDance, stateUnknown, restarts, replugged
  // To the backend's keys.
  case keys
  // To messages of the store, and to bytes of the console.
  case again, unasked, watchStorm, badName, unended, garbage
  // To the whole domain.
  case suspends, resumes, clockJumps, memoryPressure
}

extension FaultAct {
  /// Whether it strikes at responses, and not at what goes with them.
  var isOfResponses: Bool {
    switch self {
    case .keepsData, .keepsRings, .noEvents, .eventStorm, .keys, .suspends, .resumes, .clockJumps,
      .memoryPressure:
      false
    default: true
    }
  }
}

/// What a sound guest makes of it.
public enum FaultOutcome: UInt8, Sendable {
  /// Everything comes out right in the end.
  case recovers
  /// Some of its requests may fail, and it says so.
  case mayFail
  /// It cannot use the device, and says so.
  case unusable
}

/// One fault.
public struct Fault: Sendable {
  /// What it is done to.
  public let target: FaultTarget
  /// Its name behind the target's.
  public let name: StaticString
  /// What is done.
  public let act: FaultAct
  /// At which responses it strikes: at each of this number; what is done to the whole domain, after so
  /// many tenths of a second.
  public let every: Int
  /// How often it strikes at most; 0 for ever.
  public let count: Int
  /// What a sound guest makes of it.
  public let outcome: FaultOutcome
  /// For people.
  public let about: StaticString
  /// The backend's key, and the value in place of its own.
  public let key: StaticString
  public let value: StaticString

  init(
    _ target: FaultTarget, _ name: StaticString, _ act: FaultAct, every: Int = 7, count: Int = 2,
    _ about: StaticString, _ outcome: FaultOutcome = .recovers, key: StaticString = "",
    value: StaticString = ""
  ) {
    self.target = target
    self.name = name
    self.act = act
    self.every = every
    self.count = count
    self.outcome = outcome
    self.about = about
    self.key = key
    self.value = value
  }
}

extension FaultTarget {
  /// Its name.
  public var name: StaticString {
    switch self {
    case .block: "block"
    case .net: "net"
    case .store: "store"
    case .console: "console"
    case .domain: "domain"
    }
  }
}

extension FaultOutcome {
  /// Its name, as lists show it.
  public var name: StaticString {
    switch self {
    case .recovers: "recovers"
    case .mayFail: "may-fail"
    case .unusable: "unusable"
    }
  }
}
