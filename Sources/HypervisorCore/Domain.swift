// Domains and their table.

/// What a domain is and has.
public struct Domain: @unchecked Sendable {
  /// Its number; `.invalid` in a free slot.
  public var id: DomainID
  /// Keeps its vcpus, and others that act on it, from each other: Locality.swift.
  public internal(set) var lock = DomainLock()
  /// It may act on other domains and on I/O memory.
  public var isPrivileged = false
  /// Its kernel is 32-bit code in ring 1, with page tables of three levels.
  public var is32Bit = false
  /// Where the hypervisor's part of a 32-bit domain's address space begins.
  public var reservedStart = Domain.defaultReservedStart
  /// It has been told to die; only its teardown works on it.
  public var isDying = false
  /// Assists that it has switched on: bits numbered as the ABI has them.
  public var assists: UInt64 = 0
  /// Frames that it has, counted until the last reference to each is gone.
  public var pageCount: UInt64 = 0
  /// Frames that it may have.
  public var pageLimit: UInt64 = 0
  /// The highest frame number of its own view, as it told.
  public var highestFrame: UInt64 = 0
  /// First frame of the list of tables that are being torn down.
  var teardownHead = FrameRecord.endOfList
  /// The frames that it has ever had lie from the first of these to before the second: what its end
  /// must look through.
  var lowestFrame = UInt64.max
  var endOfFrames: UInt64 = 0
  /// Where the return of the frames of a dying domain has got to.
  var returnCursor: UInt64 = 0
  /// The page that it shares with the hypervisor.
  public var sharedInfo: MachineFrame?
  /// By what domain 0 serves it.
  public internal(set) var wiring = DomainWiring()
  /// None of its vcpus runs until domain 0 lets them.
  public var isPaused = false
  /// Why it has ended, as the machine notes it; nil while it runs.
  public var endReason: UInt32?
  /// Domain 0 wants it kept when it suspends: DomainSuspension.swift.
  public var isKeptSuspended = false
  /// The vcpu that has suspended it; nil while it is not suspended.
  public internal(set) var suspender: VCPUID?
  /// What was written down of it while it is suspended: DomainRecord.swift.
  var recordFrame: MachineFrame?

  /// How many port numbers it may use, port 0 included; nil for 1024, or all where it is privileged.
  public var portLimit: UInt32?
  // SAFETY: the words of `portDirectoryFrame`, a frame of the hypervisor's own, while there is one.
  /// The directory of its ports' records: PortTable.swift.
  public internal(set) var portDirectory: UnsafeMutablePointer<UInt64>?
  /// The frame of the directory.
  public internal(set) var portDirectoryFrame: MachineFrame?
  /// The buckets below this one are full.
  public internal(set) var portHint = 0
  /// Ports that are open.
  public internal(set) var openPortCount = 0
  /// How far an interrupted reset of all ports has got; 0 for none.
  var resetCursor = 0
  /// FIFO form: a frame of the hypervisor's own with the frames of the event words.
  public internal(set) var eventArray: MachineFrame?
  /// FIFO form: how many of these there are.
  public internal(set) var eventArrayCount = 0
  /// The vcpus that sleep until a port is pending.
  public internal(set) var pollerCount = 0

  // SAFETY: the state in `grantsFrame`, a frame of the hypervisor's own, while there is one.
  /// Its grant table and what it has mapped of others: GrantTable.swift.
  public internal(set) var grants: UnsafeMutablePointer<GrantState>?
  /// The frame of that state.
  public internal(set) var grantsFrame: MachineFrame?
  /// How many frames of grant entries it may have.
  public var grantFrameLimit = GrantTable.frameLimit
  /// Rings that it shares with backends, as far as they were fresh when they were mapped.
  public internal(set) var rings = RingFrames()
  /// How many grants of others it may have mapped at once.
  public var grantMappingLimit = 1 << 16

  /// Its virtual processors.
  public private(set) var vcpus: VCPUTable
  /// How many.
  public private(set) var vcpuCount: Int
  /// What the machine keeps of the domain; HypervisorCore never looks there.
  public var context: UnsafeMutableRawPointer?

  /// A domain with virtual processors that the caller has initialised.
  public init(id: DomainID, vcpus: VCPUTable, vcpuCount: Int) {
    self.id = id
    self.vcpus = vcpus
    self.vcpuCount = vcpuCount
  }
}

/// The vcpus of a domain by number.
///
/// A table of pointers, because each vcpu lies in a frame of its own.
public struct VCPUTable: @unchecked Sendable {
  // SAFETY: points to as many pointers as the domain has vcpus, each to an initialised record, for
  // as long as the domain lives. Indexes are compared with the domain's count before use.
  private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<VCPU>>?

  /// The table at a place; nil for none.
  public init(_ pointers: UnsafeMutablePointer<UnsafeMutablePointer<VCPU>>?) {
    self.pointers = pointers
  }

  /// The vcpu with a number below the domain's count.
  public subscript(index: Int) -> UnsafeMutablePointer<VCPU> {
    guard let pointers else { preconditionFailure("A domain without vcpus") }
    return pointers[index]
  }
}

extension Domain {
  /// The last 64 MiB of 4 GiB, unless the kernel's note HV_START_LOW says otherwise.
  public static var defaultReservedStart: UInt64 { 0xfc00_0000 }
  /// MACH2PHYS_VIRT_START of 32 bits (abi/mmu.yaml), which generated code has for such guests alone.
  ///
  /// A kernel whose image has the older text in place of notes reads the M2P table there unasked.
  static var fixedReservedStart: UInt64 { 0xf580_0000 }
  /// The lowest that it may begin: the address space under the last entry of a top table.
  static var lowestReservedStart: UInt64 { 0xc000_0000 }

  /// Whether the hypervisor's part of a 32-bit domain may begin there.
  ///
  /// Above the default there would be no room for the M2P table of the largest machine.
  static func isReservedStart(_ address: UInt64) -> Bool {
    address & 0x1f_ffff == 0
      && (lowestReservedStart...defaultReservedStart).contains(address)
  }

  /// The type of its top-level tables.
  var topType: FrameType { is32Bit ? .level3 : .level4 }
  /// The level of its top-level tables.
  @inlinable public var topLevel: Int { is32Bit ? 3 : 4 }
  /// Whether events come in queues: EventQueue.swift.
  @inlinable public var isFIFO: Bool { eventArray != nil }
  /// User mode shall not see the M2P table (VMASST_TYPE_m2p_strict, number 32).
  var hidesMachineToPhysical: Bool { assists >> 32 & 1 != 0 }
}

/// The domain that a function works on: a place in the domain table.
public typealias DomainPointer = UnsafeMutablePointer<Domain>

/// Who makes a hypercall.
public struct Caller {
  /// The calling domain.
  public var domain: DomainPointer
  /// The calling vcpu.
  public var vcpu: UnsafeMutablePointer<VCPU>

  /// A vcpu of a domain.
  public init(domain: DomainPointer, vcpu: UnsafeMutablePointer<VCPU>) {
    self.domain = domain
    self.vcpu = vcpu
  }
}

/// All domains.
///
/// The domain with number n has slot n modulo the capacity, so a number is looked up in one step and
/// comes back only after many domains.
public struct DomainTable: @unchecked Sendable {
  // SAFETY: points to `capacity` records; free ones have `id` invalid and are otherwise not read.
  let slots: UnsafeMutablePointer<Domain>
  /// How many domains there can be at once.
  public let capacity: Int

  /// Takes over memory for `capacity` domains, none of which exists yet.
  public init(slots: UnsafeMutablePointer<Domain>, capacity: Int) {
    precondition(capacity > 0 && capacity < 0x7ff0, "Capacity of the domain table")
    self.slots = slots
    self.capacity = capacity
    for index in 0..<capacity {
      (slots + index).initialize(to: Domain(id: .invalid, vcpus: VCPUTable(nil), vcpuCount: 0))
    }
  }

  /// The domain with a number, dying ones included.
  public func find(_ id: DomainID) -> DomainPointer? {
    guard id.isOrdinary else { return nil }
    let slot = slots + Int(id.rawValue) % capacity
    return slot.pointee.id == id ? slot : nil
  }

  /// Enters a domain at its slot; nil if the slot is taken.
  public func insert(_ domain: Domain) -> DomainPointer? {
    guard domain.id.isOrdinary else { return nil }
    let slot = slots + Int(domain.id.rawValue) % capacity
    guard slot.pointee.id == .invalid else { return nil }
    slot.pointee = domain
    return slot
  }

  /// Frees the slot of a domain that is gone.
  public func remove(_ domain: DomainPointer) { domain.pointee.id = .invalid }

  /// The slot with an index below the capacity, if there is a domain in it.
  public subscript(index: Int) -> DomainPointer? {
    slots[index].id == .invalid ? nil : slots + index
  }
}
