// What the harness must know about a hypervisor: how its messages look and what they mean.

/// What a hypervisor's message says about the guest.
enum HypervisorNotice: Equatable {
  /// A domain's run is over, with the reason in the hypervisor's words.
  case domainEnded(Int, Verdict, reason: String)
  /// The hypervisor's own run is over, and with it every domain's.
  case machineEnded(Verdict)
  /// Of no importance to the harness.
  case other
}

/// How a hypervisor speaks on the serial line.
protocol HypervisorDialect: Sendable {
  /// What each of its lines begins with.
  var prefix: String { get }
  /// It keeps what is typed from its first words on, and not only from those of domain 0.
  var listensEarly: Bool { get }
  /// The meaning of one of its lines, prefix taken off.
  func notice(in line: String) -> HypervisorNotice
  /// The crash of a domain that its lines describe, before names are looked up.
  func crash(of domain: Int, in lines: [String]) -> RawCrash?
  /// It switches the machine off after the guest's end, and may have more to say before.
  var endsMachine: Bool { get }
  /// Verdict where QEMU ends and no message told why.
  var verdictOfSilentEnd: Verdict { get }
  /// The trap and hypercall records in its lines, of some of the domains.
  func records(
    of domains: Set<Int>, in lines: [String]
  ) -> (traps: [TrapRecord], hypercalls: [HypercallRecord])
  /// What domains had granted and not taken back at their ends, as far as its lines tell.
  func grants(in lines: [String]) -> [GrantRecord]
  /// What domains did in the wrong order with memory that they share; `nil` where nobody watched it.
  func slips(of domains: Set<Int>, in lines: [String]) -> [TrapRecord]?
  /// What vcpus did when it was asked for, before names are looked up.
  func whereabouts(in lines: [String]) -> [RawWhereabouts]
}

/// A vcpu's place in numbers.
struct RawWhereabouts: Equatable {
  var domain: Int
  var vcpu: Int
  var state: String
  /// Registers and stack.
  var raw: RawCrash
}

/// A crash in numbers.
struct RawCrash: Equatable {
  var reason: String
  var registers: [RegisterValue] = []
  /// Words of the guest's stack from the stack pointer on.
  var stack: [UInt64] = []

  /// The value of a register by its lowercase name.
  func register(_ name: String) -> UInt64? {
    registers.first { $0.name == name }?.value
  }
}
