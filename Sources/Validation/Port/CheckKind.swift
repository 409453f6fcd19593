// The kinds of checks, with the keys that each has: one table for the decoder, the schema's test and
// messages.

/// What a check looks at.
public enum CheckKind: String, Sendable, CaseIterable {
  case boots
  case console
  case powersOff = "powers-off"
  case block
  case network
  case time
  case strict
  case grants
  case order
  case noSilent = "no-silent"
  case audit
  case abi
  case inspect
  case faults
  case restart
  case hypervisor

  /// Keys beside `check` and `name`.
  public var keys: [String] {
    switch self {
    case .boots: ["within"]
    case .console: ["lines", "any-order", "never"]
    case .powersOff: ["end"]
    case .block: ["disk", "lines", "sha256", "same-as", "unchanged"]
    case .network:
      ["protocol", "port", "send", "path", "expect", "status", "after", "within"]
    case .time: ["pattern", "unit", "samples", "tolerance"]
    case .strict: ["allow"]
    case .grants: ["most"]
    case .order: []
    case .noSilent: ["target", "suppress"]
    case .audit: ["target", "baseline", "fail-on", "suppress"]
    case .abi: ["ignore"]
    case .inspect: ["protocol"]
    case .faults: ["inject", "lines", "timeout", "cmdline"]
    case .restart: ["device", "lines", "times", "timeout", "cmdline"]
    case .hypervisor: ["on", "same-console", "ignore", "mask", "timeout"]
    }
  }

  /// It looks at the image and boots nothing.
  var isOfImage: Bool {
    switch self {
    case .noSilent, .audit, .abi, .inspect: true
    default: false
    }
  }

  /// It needs boots of its own.
  var hasOwnBoots: Bool {
    switch self {
    case .faults, .restart, .hypervisor: true
    default: false
    }
  }
}

/// Keys of the file that are no check's.
enum PortKeys {
  static let top = [
    "name", "kernel", "build", "initrd", "cmdline", "memory", "vcpus", "cpus", "timeout",
    "hypervisor", "accel", "disks", "network", "checks",
  ]
  static let build = ["command", "timeout"]
  static let disk = ["file", "size", "name", "read-only"]
  static let pattern = ["text"]
  static let allow = ["rule", "function", "file", "most"]
  static let ofEveryCheck = ["check", "name"]
}
