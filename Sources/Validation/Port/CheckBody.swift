// What each check was told, with its defaults.

public import Audit
public import Harness
public import ImageInspection

/// A pattern for lines: a regular expression, or text as it stands.
public struct LinePattern: Sendable, Equatable {
  public var text: String
  public var isLiteral = false

  /// A regular expression that the line must have a match of.
  init(_ text: String, isLiteral: Bool = false) {
    self.text = text
    self.isLiteral = isLiteral
  }
}

/// A check of a kind.
public enum CheckBody: Sendable {
  case boots(within: Double?)
  case console(ConsoleCheck)
  case powersOff(end: GuestEnd)
  case block(BlockCheck)
  case network(NetworkCheck)
  case time(TimeCheck)
  case strict(allow: [AllowedTrap])
  case grants(most: Int)
  case order
  case noSilent(target: Target?, suppress: PortPath?)
  case audit(AuditCheck)
  case abi(ignore: [String])
  case inspect(bootProtocol: BootProtocol?)
  case faults(FaultsCheck)
  case restart(FaultsCheck)
  case hypervisor(HypervisorCheck)

  var kind: CheckKind {
    switch self {
    case .boots: .boots
    case .console: .console
    case .powersOff: .powersOff
    case .block: .block
    case .network: .network
    case .time: .time
    case .strict: .strict
    case .grants: .grants
    case .order: .order
    case .noSilent: .noSilent
    case .audit: .audit
    case .abi: .abi
    case .inspect: .inspect
    case .faults: .faults
    case .restart: .restart
    case .hypervisor: .hypervisor
    }
  }
}

/// How a guest is to end.
public enum GuestEnd: String, Sendable, CaseIterable {
  case poweroff
  case reboot
  case suspend

  /// The boot's verdict that says so.
  var verdict: Verdict {
    switch self {
    case .poweroff: .poweroff
    case .reboot: .reboot
    case .suspend: .suspended
    }
  }
}

/// Lines that the console must have, and lines that it must not.
public struct ConsoleCheck: Sendable {
  public var lines: [LinePattern] = []
  /// The lines may come in any order.
  public var isUnordered = false
  public var never: [LinePattern] = []
}

/// A disk that must be as said when the guest has ended.
public struct BlockCheck: Sendable {
  public var disk = ""
  /// What the console must have of it, in order.
  public var lines: [LinePattern] = []
  /// Of the whole disk, in hexadecimal digits.
  public var sha256: String?
  /// A file with the same bytes.
  public var sameAs: PortPath?
  /// The disk has the bytes that it began with.
  public var isUnchanged = false

  /// It looks at the disk's bytes.
  var looksAtBytes: Bool { sha256 != nil || sameAs != nil || isUnchanged }
}

/// An answer over the network.
public struct NetworkCheck: Sendable {
  /// How it is asked.
  public enum Transport: String, Sendable, CaseIterable {
    case tcp
    case udp
    case http
  }

  public var transport: Transport = .tcp
  /// The guest's port.
  public var port = 0
  /// What is sent.
  public var send: String?
  /// The path of HTTP's request.
  public var path = "/"
  /// What the answer must have a match of; without it any answer will do.
  public var expect: LinePattern?
  /// HTTP's status.
  public var status = 200
  /// It is asked once the console has had this line.
  public var after: LinePattern?
  /// Seconds from then on until the answer must have come.
  public var within = 20.0
}

/// A number on the console that must grow as time does.
public struct TimeCheck: Sendable {
  /// The unit of the number.
  public enum Unit: String, Sendable, CaseIterable {
    case ns
    case us
    case ms
    case s

    var seconds: Double {
      switch self {
      case .ns: 1e-9
      case .us: 1e-6
      case .ms: 1e-3
      case .s: 1
      }
    }
  }

  /// Its first group is the number.
  public var pattern = ""
  public var unit: Unit = .s
  /// At least so many numbers.
  public var samples = 2
  /// How far the guest's time may be from the host's: 0.5 is half as fast or half as fast again.
  public var tolerance: Double?
}

/// Trapped instructions that are accepted.
public struct AllowedTrap: Sendable, Equatable {
  /// Patterns with `*` and `?`; `nil` matches anything.
  public var rule: String?
  public var function: String?
  public var file: String?
  /// So often at most; `nil` for any number.
  public var most: Int?
}

/// An audit against a baseline.
public struct AuditCheck: Sendable {
  public var target: Target?
  public var baseline: PortPath?
  public var failOn: GateLevel = .new
  public var suppress: PortPath?
}

/// Faults of the backends, one boot for each.
public struct FaultsCheck: Sendable {
  /// As the control domain's command line names them: `block:wrong-id:every=9`.
  public var inject: [String] = []
  /// What the console must have in each boot.
  public var lines: [LinePattern] = []
  /// Seconds for each boot; the port's where there is none.
  public var timeout: Double?
  /// In place of the port's.
  public var commandLine: String?
}

/// The other hypervisor.
public struct HypervisorCheck: Sendable {
  public var kind: HypervisorKind = .xen
  /// The console's lines must be the same, too.
  public var hasSameConsole = false
  /// Lines that are left out of the comparison.
  public var ignore: [LinePattern] = []
  /// What these match is taken as equal.
  public var mask: [LinePattern] = []
  public var timeout: Double?
}
