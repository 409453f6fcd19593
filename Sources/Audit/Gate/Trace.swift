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

  /// The schema that files name.
  public static let schema = "xenograft.trace/1"
  static let sizeLimit = 256 << 20

  public var traps: [Trap]

  public init(traps: [Trap]) {
    self.traps = traps
  }

  /// Reads a trace from a file.
  public init(path: String) throws(GateFileError) {
    try self.init(path: path, bytes: readGateFile(path, limit: Self.sizeLimit))
  }

  /// Reads a trace from the bytes of a file; `path` is for errors.
  public init(path: String, bytes: [UInt8]) throws(GateFileError) {
    let document = try LocatedDocument(path: path, bytes: bytes, schema: Self.schema)
    traps = []
    for item in try document.array(document.member("traps", of: document.root)) {
      var rule: String?
      if let value = try document.optional("rule", of: item) { rule = try document.string(value) }
      traps.append(
        Trap(
          address: try document.address(document.member("rip", of: item)), rule: rule,
          count: try document.count(document.member("count", of: item))))
    }
  }

  /// Sets `executed` of every finding; 0 where the run never came by.
  ///
  /// Replacement code runs where it was patched in, so a finding gathers its sites' counts as well.
  /// Returns the traps at addresses where the audit found nothing, in the trace's order.
  @discardableResult
  public func merge(into result: inout AuditResult) -> [Trap] {
    var counts: [UInt64: Int] = [:]
    for trap in traps {
      let (sum, overflow) = counts[trap.address, default: 0].addingReportingOverflow(trap.count)
      counts[trap.address] = overflow ? .max : sum
    }
    var matched: Set<UInt64> = []
    for image in result.images.indices {
      for index in result.images[image].findings.indices {
        let finding = result.images[image].findings[index]
        var total = 0
        for address in Set([finding.address] + finding.sites.map(\.address)) {
          guard let count = counts[address] else { continue }
          matched.insert(address)
          let (sum, overflow) = total.addingReportingOverflow(count)
          total = overflow ? .max : sum
        }
        result.images[image].findings[index].executed = total
      }
    }
    return traps.filter { !matched.contains($0.address) }
  }
}
