// Stock Xen's messages, as release builds of 4.17 print them.

/// Xen with the guest as domain 0.
struct XenDialect: HypervisorDialect {
  var prefix: String { "(XEN) " }
  // It halts and stays.
  var endsMachine: Bool { false }
  // Xen reboots through the machine and tells before that it will.
  var verdictOfSilentEnd: Verdict { .crash }

  func notice(in line: String) -> HypervisorNotice {
    guard let rest = line.dropping(prefix: "Hardware Dom0 ") else {
      if line.contains("did unsupported soft reset") { return .ended(.reboot) }
      // Xen's own end takes the guest along.
      return line.hasPrefix("Panic on CPU") ? .ended(.crash) : .other
    }
    if rest.hasPrefix("halted") { return .ended(.poweroff) }
    if rest.hasPrefix("crashed") { return .ended(.crash) }
    if rest.hasPrefix("shutdown: rebooting") { return .ended(.reboot) }
    if rest.hasPrefix("shutdown: watchdog") { return .ended(.crash) }
    // Domain 0 cannot be suspended: Xen does not know the reason.
    if rest.hasPrefix("shutdown (unknown reason 2)") { return .ended(.suspended) }
    return .ended(.crash)
  }

  func crash(in lines: [String]) -> RawCrash? {
    XenCrashParser.parse(lines)
  }

  func records(in lines: [String]) -> (traps: [TrapRecord], hypercalls: [HypercallRecord]) {
    ([], [])
  }
}

extension String {
  /// What follows `prefix`, where the text begins with it.
  func dropping(prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
