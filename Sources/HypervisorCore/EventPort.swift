// Event channels: what a port of a domain is.

/// The kinds of a port, by their numbers in evtchn_status.
public enum PortKind: UInt8, Hashable, Sendable {
  /// Free.
  case closed = 0
  /// Waits for the other domain to bind.
  case unbound = 1
  /// Connected to a port of a domain.
  case interdomain = 2
  /// A virtual interrupt.
  case virtualInterrupt = 4
  /// Between the domain's own vcpus.
  case interprocessor = 5
}

/// The state of one port.
///
/// An interdomain port and the one that it names name each other; `closeAll` and `close` keep that
/// when either goes.
public struct PortRecord: Sendable {
  /// What it is.
  public internal(set) var kind = PortKind.closed
  /// Number of the virtual interrupt.
  public internal(set) var interrupt: UInt8 = 0
  /// The domain at the other end, or the one that may bind it.
  public internal(set) var remoteDomain = DomainID.invalid
  /// Its port.
  public internal(set) var remotePort = EventPort(0)
  /// The vcpu that is told.
  public internal(set) var vcpu = VCPUID(0)

  /// A free port.
  public init() {}
}

/// Numbers of virtual interrupts: abi/event-channel.yaml, virq.
enum VirtualInterrupt {
  /// How many numbers there are.
  static var count: UInt32 { 24 }

  /// Whether each vcpu has one of its own: timer, debug, profiling, performance counters.
  static func isPerVCPU(_ number: UInt32) -> Bool {
    number == 0 || number == 1 || number == 7 || number == 13
  }
}

extension Hypervisor {
  /// The record of a port that a guest names; nil for 0 and for numbers out of range.
  func port(_ port: EventPort, of domain: DomainPointer) -> UnsafeMutablePointer<PortRecord>? {
    guard let ports = domain.pointee.ports, port.rawValue > 0,
      Int(port.rawValue) < domain.pointee.portCount
    else { return nil }
    return ports + Int(port.rawValue)
  }

  /// Takes the lowest free port.
  func allocatePort(of domain: DomainPointer) throws(HypercallError) -> EventPort {
    guard !domain.pointee.isDying, let ports = domain.pointee.ports else { throw .noSpace }
    var index = 1
    while index < domain.pointee.portCount {
      if ports[index].kind == .closed { return EventPort(UInt32(index)) }
      index += 1
    }
    throw .noSpace
  }

  /// Frees a port.
  ///
  /// The other end of an interdomain channel waits to be bound again.
  func close(_ number: EventPort, of domain: DomainPointer) throws(HypercallError) {
    guard let record = port(number, of: domain), record.pointee.kind != .closed else {
      throw .invalid
    }
    if record.pointee.kind == .interdomain, let other = domains.find(record.pointee.remoteDomain),
      let end = port(record.pointee.remotePort, of: other)
    {
      end.pointee.kind = .unbound
      end.pointee.remoteDomain = domain.pointee.id
      end.pointee.remotePort = EventPort(0)
    }
    if record.pointee.kind == .virtualInterrupt {
      let vcpu = domain.pointee.vcpus[Int(record.pointee.vcpu.rawValue)]
      let isGlobal = !VirtualInterrupt.isPerVCPU(UInt32(record.pointee.interrupt))
      let holder = isGlobal ? domain.pointee.vcpus[0] : vcpu
      holder.pointee.interruptPorts[Int(record.pointee.interrupt)] = EventPort(0)
    }
    record.pointee = PortRecord()
    clearPending(number, of: domain)
  }

  /// Frees all ports of a domain.
  func closeAll(of domain: DomainPointer) {
    for index in 1..<max(domain.pointee.portCount, 1) {
      do throws(HypercallError) {
        try close(EventPort(UInt32(index)), of: domain)
      } catch {
        // It was free.
      }
    }
  }
}
