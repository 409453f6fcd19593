// Stock Xen's messages, as release builds of 4.17 print them.

/// Xen with the guest as domain 0, or with Linux there and the guest beside it.
struct XenDialect: HypervisorDialect {
  var prefix: String { "(XEN) " }
  // It halts and stays.
  var endsMachine: Bool { false }
  var listensEarly: Bool { false }
  // Xen reboots through the machine and tells before that it will.
  var verdictOfSilentEnd: Verdict { .crash }

  func notice(in line: String) -> HypervisorNotice {
    guard let rest = line.dropping(prefix: "Hardware Dom0 ") else {
      if line.contains("did unsupported soft reset") {
        return .domainEnded(0, .reboot, reason: "soft reset")
      }
      // Domain 0 has the machine switched off by ACPI, as Linux does where it finds it.
      if line.hasPrefix("Preparing system for ACPI S5 state") {
        return .domainEnded(0, .poweroff, reason: "ACPI S5")
      }
      // Xen's own end takes the guest along.
      return line.hasPrefix("Panic on CPU") ? .machineEnded(.crash) : .other
    }
    return .domainEnded(0, verdict(of: rest), reason: String(rest))
  }

  private func verdict(of rest: Substring) -> Verdict {
    if rest.hasPrefix("halted") { return .poweroff }
    if rest.hasPrefix("shutdown: rebooting") { return .reboot }
    // Domain 0 cannot be suspended: Xen does not know the reason.
    if rest.hasPrefix("shutdown (unknown reason 2)") { return .suspended }
    // "crashed", and "shutdown: watchdog".
    return .crash
  }

  func crash(of domain: Int, in lines: [String]) -> RawCrash? {
    XenCrashParser.parse(lines, domain: domain)
  }

  func records(
    of domains: Set<Int>, in lines: [String]
  ) -> (traps: [TrapRecord], hypercalls: [HypercallRecord]) {
    ([], [])
  }

  func grants(in lines: [String]) -> [GrantRecord] { [] }
  func slips(of domains: Set<Int>, in lines: [String]) -> [TrapRecord]? { nil }
  func whereabouts(in lines: [String]) -> [RawWhereabouts] { [] }
}

extension String {
  /// What follows `prefix`, where the text begins with it.
  func dropping(prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
