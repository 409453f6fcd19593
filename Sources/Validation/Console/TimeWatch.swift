// Numbers on the console that tell the guest's time, beside this machine's.

/// A number and when it came.
struct TimeSample: Sendable, Equatable {
  var line: Int
  /// In seconds.
  var guest: Double
  /// In seconds from the start of the boot.
  var host: Double
}

/// Watches for one check's numbers.
struct TimeWatch {
  private let matcher: LineMatcher
  private let unit: TimeCheck.Unit
  private let wanted: Int
  /// The first, and the last one that came; a guest may print them for ever.
  private(set) var first: TimeSample?
  private(set) var last: TimeSample?
  private(set) var count = 0
  /// The first number that is not above the one before it.
  private(set) var fall: (before: TimeSample, behind: TimeSample)?

  init(_ check: TimeCheck) {
    matcher = LineMatcher(LinePattern(check.pattern))
    unit = check.unit
    wanted = check.samples
  }

  var isSatisfied: Bool { count >= wanted }

  /// Looks at a whole line; whether it has a number.
  mutating func look(at text: String, number: Int, host: Double) -> Bool {
    guard let digits = matcher.firstGroup(in: text), let value = Double(digits), value.isFinite
    else { return false }
    let sample = TimeSample(line: number, guest: value * unit.seconds, host: host)
    if let last, fall == nil, sample.guest <= last.guest { fall = (last, sample) }
    first = first ?? sample
    last = sample
    count += 1
    return true
  }
}
