// Event channels: what a port of a domain is.

import CXenABI

/// The kinds of a port.
public enum PortKind: Hashable, Sendable {
  /// Free.
  case closed
  /// Waits for the other domain to bind.
  case unbound
  /// Connected to a port of a domain.
  case interdomain
  /// A virtual interrupt.
  case virtualInterrupt
  /// Between the domain's own vcpus.
  case interprocessor
  /// A device's interrupt.
  case physicalInterrupt

  /// The number in evtchn_status.
  var status: UInt32 {
    switch self {
    case .closed: UInt32(EVTCHNSTAT_closed)
    case .unbound: UInt32(EVTCHNSTAT_unbound)
    case .interdomain: UInt32(EVTCHNSTAT_interdomain)
    case .virtualInterrupt: UInt32(EVTCHNSTAT_virq)
    case .interprocessor: UInt32(EVTCHNSTAT_ipi)
    case .physicalInterrupt: UInt32(EVTCHNSTAT_pirq)
    }
  }
}

/// The state of one port, 16 bytes.
///
/// An interdomain port and the one that it names name each other; `closeAll` and `close` keep that
/// when either goes.
public struct PortRecord: Sendable {
  /// What it is.
  public internal(set) var kind = PortKind.closed
  /// Number of the virtual or physical interrupt.
  public internal(set) var interrupt: UInt8 = 0
  /// The domain at the other end, or the one that may bind it.
  public internal(set) var remoteDomain = DomainID.invalid
  /// Its port.
  public internal(set) var remotePort = EventPort(0)
  private var vcpuNumber: UInt16 = 0
  private var queueVCPUNumber: UInt16 = 0
  /// FIFO form: which of a vcpu's queues it goes to.
  public internal(set) var priority = UInt8(EVTCHN_FIFO_PRIORITY_DEFAULT)
  /// FIFO form: the priority of the queue in which it stands, or stood last.
  public internal(set) var queuePriority = UInt8(EVTCHN_FIFO_PRIORITY_DEFAULT)
  /// FIFO form: an event came before the guest gave memory for the port's word.
  public internal(set) var isWaiting = false

  /// The vcpu that is told.
  public internal(set) var vcpu: VCPUID {
    get { VCPUID(UInt32(vcpuNumber)) }
    set { vcpuNumber = UInt16(truncatingIfNeeded: newValue.rawValue) }
  }

  /// FIFO form: the vcpu of the queue in which it stands, or stood last.
  ///
  /// An event stays where it is linked until the guest takes it out, wherever the port moves.
  public internal(set) var queueVCPU: VCPUID {
    get { VCPUID(UInt32(queueVCPUNumber)) }
    set { queueVCPUNumber = UInt16(truncatingIfNeeded: newValue.rawValue) }
  }

  /// A free port.
  public init() {}

  /// Makes it a port of a kind, or free, and nothing else: only its place in a queue is kept, as the
  /// guest may not have come to it yet.
  mutating func become(_ kind: PortKind) {
    var fresh = PortRecord()
    fresh.kind = kind
    fresh.queueVCPU = queueVCPU
    fresh.queuePriority = queuePriority
    self = fresh
  }
}

/// Numbers of virtual interrupts.
enum VirtualInterrupt {
  /// How many numbers there are.
  static var count: UInt32 { UInt32(NR_VIRQS) }

  /// Whether each vcpu has one of its own.
  static func isPerVCPU(_ number: UInt32) -> Bool {
    switch Int32(truncatingIfNeeded: number) {
    case VIRQ_TIMER, VIRQ_DEBUG, VIRQ_XENOPROF, VIRQ_XENPMU: true
    default: false
    }
  }
}
