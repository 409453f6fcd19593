// How a boot ended, and what was seen on the way.

/// How a guest's run ended.
public enum Verdict: String, Sendable, Codable {
  case poweroff
  case reboot
  case crash
  case timeout
  /// Everything expected was seen, and nobody waited for more.
  case expected
  case suspended
}

/// One expectation and what became of it.
public struct ExpectationResult: Sendable, Codable {
  /// The regular expression.
  public var pattern: String
  public var matched: Bool
  /// The first line that matched.
  public var line: String?
}

/// Wall time in seconds from QEMU's start.
public struct BootTimes: Sendable {
  /// Until the hypervisor's first line.
  public var hypervisor: Double?
  /// Until the control domain was ready, where there is one.
  public var domain0: Double?
  /// Until the guest's first byte.
  public var guestFirstOutput: Double?
  public var total: Double = 0
}

/// A place in the guest's code.
public struct CodePlace: Sendable, Hashable {
  public var address: UInt64
  public var function: String?
  /// Distance from the function's start.
  public var offset: UInt64?
  public var file: String?
  public var line: Int?

  /// A place of which no more is known.
  package init(address: UInt64) {
    self.address = address
  }
}

/// A place in the guest's data.
public struct DataPlace: Sendable, Hashable {
  public var address: UInt64
  /// The variable, as the symbol table has it.
  public var variable: String?
  /// Distance from its start.
  public var offset: UInt64?

  /// A place of which no more is known.
  package init(address: UInt64) {
    self.address = address
  }
}

extension DataPlace: CustomStringConvertible {
  public var description: String {
    var text = "0x" + String(address, radix: 16)
    if let variable { text += " " + variable }
    if let offset, offset > 0 { text += "+0x" + String(offset, radix: 16) }
    return text
  }
}

/// One register at the time of a crash.
public struct RegisterValue: Sendable, Hashable {
  public var name: String
  public var value: UInt64
}

/// What is known about a guest's crash.
public struct CrashReport: Sendable {
  /// In the hypervisor's words, as far as it has any.
  public var reason: String
  /// Where the guest was.
  public var place: CodePlace?
  /// In the hypervisor's order.
  public var registers: [RegisterValue]
  /// Callers, innermost first.
  public var backtrace: [CodePlace]
}

/// An emulated instruction with how often it was met.
public struct TrapRecord: Sendable {
  public var place: CodePlace
  public var rule: String
  public var count: UInt64
}

/// A hypercall with how often it was used.
public struct HypercallRecord: Sendable {
  public var name: String
  public var count: UInt64
  public var errors: UInt64
}

/// What a vcpu did shortly before the time was over.
public struct VCPUPlace: Sendable {
  /// The domain's number.
  public var domain: Int
  public var vcpu: Int
  /// `running`, `runnable` or `blocked`.
  public var state: String
  /// Where it was.
  public var place: CodePlace
  /// Callers, innermost first.
  public var backtrace: [CodePlace]
}

/// Grants that a domain had left over at its end.
public struct GrantRecord: Sendable, Equatable {
  /// The domain's number.
  public var domain: Int
  /// Entries of its table that still granted something.
  public var granted: Int
  /// Of these, how many somebody used.
  public var used: Int
  /// Grants of others that it had mapped.
  public var mapped: Int
  /// The first of the entries; 0 where there is none.
  public var first: Int
  /// The page that it grants, where the domain sees it.
  public var page: DataPlace?
  /// Entries that the domain ended while somebody used them.
  public var torn = 0
  /// The page of the first of them.
  public var tornPage: DataPlace?
}

/// The outcome of a boot: domain 0's, or where copies of it were asked for, that of the worst.
public struct BootResult: Sendable {
  public var verdict: Verdict
  public var times: BootTimes
  public var expectations: [ExpectationResult]
  /// Every domain of the run, by number.
  public var domains: [DomainResult]
  /// How many copies of the guest ran; they are the first domains, or those behind the control domain.
  public var copies: Int
  public var crash: CrashReport?
  public var traps: [TrapRecord]
  public var hypercalls: [HypercallRecord]
  /// Of the domains that have ended, where the hypervisor tells.
  public var grants: [GrantRecord]
  /// What it did in the wrong order with memory that it shares, by the address behind the instruction;
  /// `nil` where nobody watched it, or it did not end.
  public var slips: [TrapRecord]?
  /// What the guest's vcpus did shortly before the time was over; empty where it was not.
  public var vcpus: [VCPUPlace] = []
  /// Whether the watched instructions ran; `nil` where none was watched.
  public var watched: [WatchRecord]?

  /// The hypervisor has told what it emulated, which it does at the guest's end.
  var hasRecords: Bool { verdict != .timeout && verdict != .expected }

  /// The guest ended by its own will, or as the user asked, and did all that was expected.
  ///
  /// Copies must all have powered off.
  public var isGood: Bool {
    guard expectations.allSatisfy(\.matched) else { return false }
    return switch verdict {
    case .poweroff, .expected: true
    case .reboot, .suspended: copies == 1
    case .crash, .timeout: false
    }
  }
}
