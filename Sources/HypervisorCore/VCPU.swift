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
  /// Where the guest's LDT lies.
  public var localTableBase = GuestVirtualAddress(0)
  /// How many entries it has; 0 for none.
  public var localTableCount: UInt32 = 0
  /// Frames of the guest's GDT, each with a reference and a use as descriptors.
  public var descriptorFrames = InlineArray<14, MachineFrame>(repeating: MachineFrame(0))
  /// How many of these are in use.
  public var descriptorFrameCount = 0
  /// How many entries the GDT has.
  public var descriptorCount: UInt32 = 0
  /// The processor whose TLB may hold translations of this vcpu.
  public var processor: ProcessorID?

  /// Ports of the virtual interrupts that are bound; those of the whole domain stand at vcpu 0.
  var interruptPorts = InlineArray<24, EventPort>(repeating: EventPort(0))
  /// The frame with its vcpu_info, if it registered one; a reference and a use.
  public internal(set) var infoFrame: MachineFrame?
  /// Where in the frame.
  public internal(set) var infoOffset = 0
  /// What the machine keeps of the vcpu; HypervisorCore never looks there.
  public var context: UnsafeMutableRawPointer?

  /// A virtual processor without any table.
  public init(id: VCPUID) { self.id = id }
}
