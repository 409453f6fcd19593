// Everything that is learnt from the serial lines while guests run.

import Foundation

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

/// The serial lines of one run.
actor BootSession {
  /// Lines of the hypervisor are kept up to this number; the oldest go first.
  private static let mostLines = 20_000
  /// A machine whose guests have ended, and which says no more for so long, will not end itself.
  private static let quiet = Duration.seconds(3)
  /// How long it may take in any case.
  private static let grace = Duration.seconds(15)
  /// How long stock Xen's domain 0 may take until its toolstack is ready: ten times what it takes on a
  /// machine without acceleration.
  private static let longestStart = Duration.seconds(600)

  private let dialect: any HypervisorDialect
  private let endsWhenExpected: Bool
  private let wantsEvents: Bool
  /// The domains whose end ends the run.
  private let awaited: Set<Int>
  private let sink: @Sendable (ConsoleOutput) -> Void
  private let isEnough: @Sendable () -> Bool
  private let start: ContinuousClock.Instant
  private var splitter: ConsoleSplitter
  private var lines: GuestLines
  private var control: ControlConsole?
  /// Domain 0's lines, where it has a toolstack; the guest's then come from the second line.
  private var toolstack: ToolstackConsole?
  private var secondLine: SecondLine?
  /// When the guest's time began; `nil` before.
  private var begin: ContinuousClock.Instant?
  private let timeout: Duration?

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

  /// The guest that is saved; `nil` for none.
  private var saving: SaveWatch?

  /// A session for `request`, whose files are in `folder`, that hands what it reads to `sink`.
  init(
    _ request: BootRequest, _ plan: GuestPlan, dialect: any HypervisorDialect, folder: URL,
    isEnough: @escaping @Sendable () -> Bool = { false }, saving: SaveWatch? = nil,
    sink: @escaping @Sendable (ConsoleOutput) -> Void
  ) throws(HarnessError) {
    self.saving = saving
    self.dialect = dialect
    self.sink = sink
    self.isEnough = isEnough
    endsWhenExpected = request.endsWhenExpected
    wantsEvents = request.wantsEvents
    awaited = plan.awaited
    // Who debugs takes the time that it takes.
    timeout = request.debuggerPort == nil ? request.timeout : nil
    if plan.hasControlDomain, request.hypervisor == .xen {
      toolstack = ToolstackConsole()
      secondLine = SecondLine(folder: folder)
    } else if plan.hasControlDomain {
      control = ControlConsole(
        plain: plan.copies == 1 || request.input != nil ? plan.subjects.lowerBound : nil,
        isInteractive: request.input != nil)
    }
    splitter = ConsoleSplitter(prefix: dialect.prefix)
    lines = try GuestLines(expectations: request.expectations)
    start = .now
    lastOutput = start
    if toolstack == nil { begin = start }
  }

  var expectations: [ExpectationResult] { lines.results }

  /// Why the guest was not saved that was to be; `nil` where it was, or was not to be.
  var saveFault: String? { saving?.fault }

  /// Whether what is typed arrives: on Rootstock once it has spoken, on Xen not before domain 0 has.
  var takesInput: Bool {
    times.guestFirstOutput != nil || (dialect.listensEarly && times.hypervisor != nil)
  }

  /// Takes in bytes of the line; `true` when nothing more is worth reading.
  func take(_ bytes: [UInt8]) -> Bool {
    lastOutput = .now
    digest(splitter.take(bytes))
    return isOver
  }

  /// Nothing more is worth reading.
  private var isOver: Bool {
    isEndedByExpectation || saving?.isOver == true || (decided != nil && !dialect.endsMachine)
  }

  /// Reads the second line, and tells how the machine is to end, if it is.
  func look() -> MachineEnd? {
    readSecondLine()
    if toolstack != nil, begin == nil, .now - start >= Self.longestStart {
      end(0, DomainEnd(verdict: .crash, reason: "its toolstack was not ready in time"))
    }
    saving?.look()
    if decided == nil, isEnough() {
      isEndedByExpectation = true
      decided = .now
    }
    if isOver { return .enough }
    if let begin, let timeout, .now - begin >= timeout { return .timeout }
    return isOverdue ? .enough : nil
  }

  private func readSecondLine() {
    guard let bytes = secondLine?.take(), !bytes.isEmpty else { return }
    lastOutput = .now
    digest(guest: bytes)
  }

  /// The run was decided, and the machine had time to end by itself.
  ///
  /// What the hypervisor says behind the end of the last domain, its records, still comes.
  private var isOverdue: Bool {
    guard let decided else { return false }
    return .now - lastOutput > Self.quiet || .now - decided > Self.grace
  }

  /// The lines are closed.
  func finish() {
    readSecondLine()
    digest(splitter.finish())
    if let line = toolstack?.finish() { digest(domain0: line) }
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
        if let lines = toolstack?.take(bytes) {
          for line in lines { digest(domain0: line) }
          continue
        }
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

  private func digest(domain0 line: String) {
    sink(.hypervisor("domain0: " + line))
    switch ToolstackConsole.notice(in: line) {
    case .ready:
      times.domain0 = times.domain0 ?? elapsed
      begin = begin ?? .now
    case .ended(let how): end(1, how)
    case .refused(let why): end(1, DomainEnd(verdict: .crash, reason: why))
    case .failed(let why): end(0, DomainEnd(verdict: .crash, reason: why))
    case nil: break
    }
  }

  /// A domain has ended; its first end stands.
  private func end(_ id: Int, _ how: DomainEnd) {
    guard ends[id] == nil else { return }
    ends[id] = how
    note(.domainEnded(id: id, verdict: how.verdict, reason: how.reason))
    // Where domain 0 serves the guest, and the machine stays without it, there is no more to come.
    let isServerGone = toolstack != nil && ends[0] != nil
    if decided == nil, isServerGone || awaited.allSatisfy({ ends[$0] != nil }) { decided = .now }
  }

  private func digest(guest bytes: [UInt8]) {
    times.guestFirstOutput = times.guestFirstOutput ?? elapsed
    sink(.guest(bytes))
    let before = lines.results
    let whole = lines.take(bytes)
    saving?.take(whole)
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
    if decided == nil, let how = saving?.save(line) { end(awaited.min() ?? 0, how) }
    switch dialect.notice(in: line) {
    case .domainEnded(let id, let verdict, let reason):
      end(id, DomainEnd(verdict: verdict, reason: reason))
    case .machineEnded(let verdict):
      machineEnd = machineEnd ?? verdict
      decided = decided ?? .now
    case .other: break
    }
  }
}
