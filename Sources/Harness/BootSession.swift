// Everything that is learnt from the serial line while a guest runs.

/// What came from the machine.
public enum ConsoleOutput: Sendable {
  /// Bytes of the guest's console, as they came.
  case guest([UInt8])
  /// A line of the hypervisor, its prefix included.
  case hypervisor(String)
}

/// The serial line of one run.
actor BootSession {
  /// Lines of the hypervisor are kept up to this number; the oldest go first.
  private static let mostLines = 20_000
  /// How long a machine may take to end after its guest.
  private static let grace = Duration.seconds(1)

  private let dialect: any HypervisorDialect
  private let endsWhenExpected: Bool
  private let sink: @Sendable (ConsoleOutput) -> Void
  private let start: ContinuousClock.Instant
  private var splitter: ConsoleSplitter
  private var lines: GuestLines

  private(set) var hypervisorLines: [String] = []
  private(set) var times = BootTimes()
  /// The verdict that the hypervisor's messages tell, or that expectations do.
  private(set) var verdict: Verdict?
  private var decided: ContinuousClock.Instant?

  /// A session for `request` that hands what it reads to `sink`.
  init(
    _ request: BootRequest, dialect: any HypervisorDialect,
    sink: @escaping @Sendable (ConsoleOutput) -> Void
  ) throws(HarnessError) {
    self.dialect = dialect
    self.sink = sink
    endsWhenExpected = request.endsWhenExpected
    splitter = ConsoleSplitter(prefix: dialect.prefix)
    lines = try GuestLines(expectations: request.expectations)
    start = .now
  }

  var expectations: [ExpectationResult] { lines.results }

  /// Takes in bytes of the line; `true` when the run is decided.
  func take(_ bytes: [UInt8]) -> Bool {
    digest(splitter.take(bytes))
    guard let verdict else { return false }
    return verdict == .expected || !dialect.endsMachine
  }

  /// The run was decided some time ago, and the machine had time to end by itself.
  var isOverdue: Bool {
    decided.map { .now - $0 > Self.grace } ?? false
  }

  /// The line is closed.
  func finish() {
    digest(splitter.finish())
    times.total = elapsed
  }

  private var elapsed: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  private func digest(_ pieces: [ConsolePiece]) {
    for piece in pieces {
      switch piece {
      case .guest(let bytes):
        times.guestFirstOutput = times.guestFirstOutput ?? elapsed
        sink(.guest(bytes))
        lines.take(bytes)
        if endsWhenExpected, lines.isSatisfied { decide(.expected) }
      case .hypervisor(let line):
        times.hypervisor = times.hypervisor ?? elapsed
        sink(.hypervisor(dialect.prefix + line))
        if hypervisorLines.count >= Self.mostLines { hypervisorLines.removeFirst(1000) }
        hypervisorLines.append(line)
        if case .ended(let end) = dialect.notice(in: line) { decide(end) }
      }
    }
  }

  /// The first decision stands.
  private func decide(_ end: Verdict) {
    guard verdict == nil else { return }
    verdict = end
    decided = .now
  }
}
