// What `boot --trace` saw: which instructions trapped, and how often. Merged into an audit it tells
// the instructions that matter today from those that some path may reach some day.

/// The traps of one run.
public struct Trace: Sendable, Equatable {
  /// One instruction that trapped.
  public struct Trap: Sendable, Equatable {
    public var address: UInt64
    /// The rule that the hypervisor named, where it did.
    public var rule: String?
    public var count: Int

    public init(address: UInt64, rule: String?, count: Int) {
      self.address = address
      self.rule = rule
      self.count = count
    }
  }

  /// One instruction of which was watched whether the run comes by, emulated or not.
  public struct Watched: Sendable, Equatable {
    public var address: UInt64
    public var isRun: Bool

    public init(address: UInt64, isRun: Bool) {
      self.address = address
      self.isRun = isRun
    }
  }

  /// The schema that files name.
  public static let schema = "xenograft.trace/1"
  static let sizeLimit = 256 << 20

  public var traps: [Trap]
  public var watched: [Watched]
  /// All that was emulated is in ``traps``; not so where the run was cut off before the guest's end.
  public var isComplete = true

  public init(traps: [Trap], watched: [Watched] = []) {
    self.traps = traps
    self.watched = watched
  }

  /// Reads a trace from a file.
  public init(path: String) throws(GateFileError) {
    try self.init(path: path, bytes: readGateFile(path, limit: Self.sizeLimit))
  }

  /// Reads a trace from the bytes of a file; `path` is for errors.
  public init(path: String, bytes: [UInt8]) throws(GateFileError) {
    let document = try LocatedDocument(path: path, bytes: bytes, schema: Self.schema)
    traps = []
    watched = []
    for item in try document.array(document.member("traps", of: document.root)) {
      var rule: String?
      if let value = try document.optional("rule", of: item) { rule = try document.string(value) }
      traps.append(
        Trap(
          address: try document.address(document.member("rip", of: item)), rule: rule,
          count: try document.count(document.member("count", of: item))))
    }
    if try document.optional("complete", of: document.root) != nil {
      isComplete = try document.flag("complete", of: document.root)
    }
    guard let items = try document.optional("watched", of: document.root) else { return }
    for item in try document.array(items) {
      watched.append(
        Watched(
          address: try document.address(document.member("rip", of: item)),
          isRun: try document.flag("ran", of: item)))
    }
  }

  /// Sets `executed` and `profile` of the findings of which the trace can tell.
  ///
  /// Replacement code runs where it was patched in, so a finding gathers its sites' counts as well. That
  /// an instruction never ran is said of those that are emulated, and of others by a watch alone.
  /// Returns the traps at addresses where the audit found nothing, in the trace's order.
  @discardableResult
  public func merge(into result: inout AuditResult) -> [Trap] {
    let trapped = Dictionary(traps.map { ($0.address, $0.count) }, uniquingKeysWith: Self.sum)
    let seen = Dictionary(watched.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    var matched: Set<UInt64> = []
    for image in result.images.indices {
      for index in result.images[image].findings.indices {
        let finding = result.images[image].findings[index]
        var total = 0
        for address in Set([finding.address] + finding.sites.map(\.address)) {
          guard let count = trapped[address] else { continue }
          matched.insert(address)
          total = Self.sum(total, count)
        }
        result.images[image].findings[index].apply(
          total, seen[finding.address], isComplete: isComplete)
      }
    }
    return traps.filter { !matched.contains($0.address) }
  }

  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}

extension Finding {
  /// Notes what a run made of it: how often it was emulated, and what a watch saw.
  fileprivate mutating func apply(
    _ emulated: Int, _ watched: Trace.Watched?, isComplete: Bool
  ) {
    (profile, executed) = (nil, nil)
    if emulated > 0 {
      (profile, executed) = (.emulated, emulated)
    } else if let watched, watched.isRun, isHeard, !isComplete {
      // Nobody told whether it was emulated, nor how often: it is taken for what it should be.
      profile = .emulated
    } else if let watched {
      profile = watched.isRun ? (faults ? .faulted : .silent) : .never
      // A watch does not count.
      executed = watched.isRun ? 1 : 0
    } else if isHeard, need > .nothing, isComplete {
      (profile, executed) = (.never, 0)
    }
  }
}
