// What became of checks: data alone; the reporters render it.

public import ABISchema
import Harness

/// How a check ended.
public enum CheckStatus: String, Sendable {
  case passed
  case failed
  /// It could not run; its message says why.
  case skipped
}

/// A place in the guest's code that a message is about.
public struct CheckPlace: Sendable, Equatable {
  public var address: UInt64?
  public var function: String?
  public var file: String?
  public var line: Int?

  /// As far as the guest's symbols and DWARF tell.
  init(_ place: CodePlace) {
    address = place.address
    function = place.function
    file = place.file
    line = place.line
  }

  init(address: UInt64?, function: String?, file: String?, line: Int?) {
    self.address = address
    self.function = function
    self.file = file
    self.line = line
  }
}

/// One check and its end.
public struct CheckReport: Sendable {
  public var name: String
  /// The kind in PORT.yaml, or `build`.
  public var kind: String
  /// Where PORT.yaml has it.
  public var position: SourcePosition
  public var status: CheckStatus
  /// One sentence: what was found, and of a failure what was expected.
  public var message: String
  /// More of it, a line each.
  public var details: [String] = []
  /// Where in the guest's code.
  public var places: [CheckPlace] = []
  /// That it took; of a check that shares a boot, the boot's.
  public var seconds = 0.0
}

/// A validated port.
public struct PortReport: Sendable {
  /// The PORT.yaml.
  public var file: String
  public var name: String
  public var kernel: String
  public var hypervisor: String
  /// In the order of the file.
  public var checks: [CheckReport] = []
  /// When it began, in seconds of UNIX's time.
  public var began = 0.0
  public var seconds = 0.0
  /// The folder with what a failure left; `nil` where nothing failed.
  public var artefacts: String?
  /// What of the input cannot be used; the checks that wanted it are skipped.
  public var faults: [Diagnostic] = []
  /// What this machine lacks for the port's own boot.
  public var missing: String?
  /// What the user should know beside the checks.
  public var remarks: [String] = []

  /// How many checks ended so.
  public func count(_ status: CheckStatus) -> Int { checks.count { $0.status == status } }
}

/// All ports of a run.
public struct ValidationReport: Sendable {
  public var ports: [PortReport]
  /// A check that is skipped counts as failed.
  public var isStrict: Bool
  public var seconds: Double

  public init(ports: [PortReport], isStrict: Bool, seconds: Double) {
    self.ports = ports
    self.isStrict = isStrict
    self.seconds = seconds
  }

  /// How many checks ended so, over all ports.
  public func count(_ status: CheckStatus) -> Int { ports.map { $0.count(status) }.reduce(0, +) }

  /// Nothing failed, and under `--strict-skips` nothing was skipped.
  public var isGood: Bool { count(.failed) == 0 && !(isStrict && count(.skipped) > 0) }

  /// Of the command: bad input above a bad verdict, that above what is missing.
  public var exitCode: Int32 {
    if ports.contains(where: { !$0.faults.isEmpty }) { return 2 }
    if !isGood { return 1 }
    return ports.contains { $0.missing != nil } ? 3 : 0
  }
}

/// A check's end, before it is put beside its name.
struct CheckOutcome: Sendable {
  var status: CheckStatus
  var message: String
  var details: [String] = []
  var places: [CheckPlace] = []

  static func passed(_ message: String) -> Self { Self(status: .passed, message: message) }
  static func skipped(_ reason: String) -> Self { Self(status: .skipped, message: reason) }

  static func failed(
    _ message: String, details: [String] = [], places: [CheckPlace] = []
  ) -> Self {
    Self(status: .failed, message: message, details: details, places: places)
  }
}
