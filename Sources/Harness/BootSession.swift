// Everything that is learnt from the serial line while guests run.

/// What came from the machine.
public enum ConsoleOutput: Sendable {
  /// Bytes of the guests' console, as they came; lines of other domains than 0 begin with `(d1) `.
  case guest([UInt8])
  /// A line of the hypervisor, its prefix included.
  case hypervisor(String)
  /// Something happened, where the request wants events.
  case event(BootEvent)
}

/// How a domain ended, as the hypervisor tells it.
struct DomainEnd: Equatable {
  var verdict: Verdict
  var reason: String
}

/// The serial line of one run.
actor BootSession {
  /// Lines of the hypervisor are kept up to this number; the oldest go first.
  private static let mostLines = 20_000
  /// A machine whose guests have ended, and which says no more for so long, will not end itself.
  private static let quiet = Duration.seconds(3)
  /// How long it may take in any case.
  private static let grace = Duration.seconds(15)

  private let dialect: any HypervisorDialect
  private let endsWhenExpected: Bool
  private let wantsEvents: Bool
  /// The domains whose end ends the run.
  private let awaited: Set<Int>
  private let sink: @Sendable (ConsoleOutput) -> Void
  private let start: ContinuousClock.Instant
  private var splitter: ConsoleSplitter
  private var lines: GuestLines
  private var control: ControlConsole?

  private(set) var hypervisorLines: [String] = []
  private(set) var times = BootTimes()
  /// The domains that have ended so far.
  private(set) var ends: [Int: DomainEnd] = [:]
  /// How the hypervisor itself ended, and with it every domain that still ran.
  private(set) var machineEnd: Verdict?
  /// Everything expected was seen, and nobody waits for more.
  private(set) var isEndedByExpectation = false
  private var decided: ContinuousClock.Instant?
  private var lastOutput: ContinuousClock.Instant

  /// A session for `request` that hands what it reads to `sink`.
  init(
    _ request: BootRequest, _ plan: GuestPlan, dialect: any HypervisorDialect,
    sink: @escaping @Sendable (ConsoleOutput) -> Void
  ) throws(HarnessError) {
    self.dialect = dialect
    self.sink = sink
    endsWhenExpected = request.endsWhenExpected
    wantsEvents = request.wantsEvents
    awaited = plan.awaited
    if plan.hasControlDomain {
      control = ControlConsole(plain: plan.copies == 1 ? plan.subjects.lowerBound : nil)
    }
    splitter = ConsoleSplitter(prefix: dialect.prefix)
    lines = try GuestLines(expectations: request.expectations)
    start = .now
    lastOutput = start
  }

  var expectations: [ExpectationResult] { lines.results }

  /// Takes in bytes of the line; `true` when nothing more is worth reading.
  func take(_ bytes: [UInt8]) -> Bool {
    lastOutput = .now
    digest(splitter.take(bytes))
    return isEndedByExpectation || (decided != nil && !dialect.endsMachine)
  }

  /// The run was decided, and the machine had time to end by itself.
  ///
  /// What the hypervisor says behind the end of the last domain, its records, still comes.
  var isOverdue: Bool {
    guard let decided else { return false }
    return .now - lastOutput > Self.quiet || .now - decided > Self.grace
  }

  /// The line is closed.
  func finish() {
    digest(splitter.finish())
    for piece in control?.finish() ?? [] { digest(piece) }
    if let line = lines.finish() { note(.guest(line: line)) }
    times.total = elapsed
  }

  /// The run is judged: the last event.
  func conclude(_ verdict: Verdict) {
    note(.ended(verdict))
  }

  private var elapsed: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  private func note(_ kind: BootEvent.Kind) {
    if wantsEvents { sink(.event(BootEvent(seconds: elapsed, kind: kind))) }
  }

  private func digest(_ pieces: [ConsolePiece]) {
    for piece in pieces {
      switch piece {
      case .guest(let bytes):
        guard let pieces = control?.take(bytes) else {
          digest(guest: bytes)
          continue
        }
        for piece in pieces { digest(piece) }
      case .hypervisor(let line): digest(hypervisor: line)
      }
    }
  }

  private func digest(_ piece: ControlConsole.Piece) {
    switch piece {
    case .guest(let bytes): digest(guest: bytes)
    case .control(let line):
      if line == "serves" { times.domain0 = times.domain0 ?? elapsed }
      sink(.hypervisor("controldomain: " + line))
    }
  }

  private func digest(guest bytes: [UInt8]) {
    times.guestFirstOutput = times.guestFirstOutput ?? elapsed
    sink(.guest(bytes))
    let before = lines.results
    let whole = lines.take(bytes)
    if wantsEvents {
      for line in whole { note(.guest(line: line)) }
      for (old, new) in zip(before, lines.results) where new.matched && !old.matched {
        note(.expected(pattern: new.pattern, line: new.line ?? ""))
      }
    }
    if endsWhenExpected, lines.isSatisfied, decided == nil {
      isEndedByExpectation = true
      decided = .now
    }
  }

  private func digest(hypervisor line: String) {
    times.hypervisor = times.hypervisor ?? elapsed
    sink(.hypervisor(dialect.prefix + line))
    note(.hypervisor(line: line))
    if hypervisorLines.count >= Self.mostLines { hypervisorLines.removeFirst(1000) }
    hypervisorLines.append(line)
    switch dialect.notice(in: line) {
    case .domainEnded(let id, let verdict, let reason):
      // The first end of a domain stands.
      guard ends[id] == nil else { return }
      ends[id] = DomainEnd(verdict: verdict, reason: reason)
      note(.domainEnded(id: id, verdict: verdict, reason: reason))
    case .machineEnded(let verdict):
      machineEnd = machineEnd ?? verdict
    case .other: return
    }
    if decided == nil, machineEnd != nil || awaited.allSatisfy({ ends[$0] != nil }) {
      decided = .now
    }
  }
}
