// The part of a virtual processor's state that HypervisorCore keeps: its page tables, descriptor
// tables and events. Registers belong to the bare metal part.

/// A virtual processor, as far as memory is concerned.
public struct VCPU: @unchecked Sendable {
  /// Its number in the domain.
  public var id: VCPUID
  /// The top-level table of the guest kernel, which holds a reference and a use.
  public var kernelTable: MachineFrame?
  /// The top-level table of user mode, likewise.
  public var userTable: MachineFrame?
  /// A frame of the hypervisor's own with the top-level table under which a 32-bit guest's three levels
  /// are used: CompatTables.swift.
  public internal(set) var monitorTable: MachineFrame?
  /// Where the guest's LDT lies.
  public var localTableBase = GuestVirtualAddress(0)
  /// How many entries it has; 0 for none.
  public var localTableCount: UInt32 = 0
  /// Frames of the LDT's pages that are in use, each with a reference and a use as descriptors.
  public internal(set) var localFrames = InlineArray<16, MachineFrame>(repeating: MachineFrame(0))
  /// Which pages these are: bit n for page n.
  public internal(set) var localPages: UInt16 = 0
  /// The LDT or its pages have changed since the metal last showed them to the processor.
  public var isLocalTableStale = false
  /// Frames of the guest's GDT, each with a reference and a use as descriptors.
  public var descriptorFrames = InlineArray<14, MachineFrame>(repeating: MachineFrame(0))
  /// How many of these are in use.
  public var descriptorFrameCount = 0
  /// How many entries the GDT has.
  public var descriptorCount: UInt32 = 0
  /// The processor whose TLB may hold translations of this vcpu.
  public var processor: ProcessorID?

  /// Ports of the virtual interrupts that are bound; those of the whole domain stand at vcpu 0.
  public internal(set) var interruptPorts = InlineArray<24, EventPort>(repeating: EventPort(0))
  /// The frame with its vcpu_info, if it registered one; a reference and a use.
  public internal(set) var infoFrame: MachineFrame?
  /// Where in the frame.
  public internal(set) var infoOffset = 0
  /// FIFO form: the frame with its control block; a reference and a use.
  public internal(set) var controlFrame: MachineFrame?
  /// Where in the frame.
  public internal(set) var controlOffset = 0
  /// FIFO form: the last port that was put into each queue; 0 for none.
  public internal(set) var queueTails = InlineArray<16, UInt32>(repeating: 0)
  /// What it polls.
  public internal(set) var poll = PollState.none
  /// It has got its first state.
  public var isInitialised = false
  /// It is up: it runs whenever it is not blocked.
  public var isUp = false
  /// What the machine keeps of the vcpu; HypervisorCore never looks there.
  public var context: UnsafeMutableRawPointer?

  /// A virtual processor without any table.
  public init(id: VCPUID) { self.id = id }
}

/// The ports whose events end a vcpu's sleep.
public enum PollState: Hashable, Sendable {
  /// It does not poll.
  case none
  /// One port.
  case port(EventPort)
  /// More than one.
  case several
}
