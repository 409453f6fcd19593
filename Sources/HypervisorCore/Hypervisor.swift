// The hypervisor's state as one cheap handle. Hypercalls and the operations under them are
// extensions of it, one concept to a file.

/// State that is neither a frame's nor a domain's.
public struct HypervisorState: Sendable {
  /// The tables, once a hypervisor is there.
  fileprivate var tables: HypervisorTables?
  /// First free frame.
  var freeHead = FrameRecord.endOfList
  /// How many frames are free.
  public internal(set) var freeCount: UInt64 = 0
  /// Which processors need a flush.
  public var clock: TLBClock
  /// The entries of the reserved slots, 256 to 271, of every top-level table.
  public var reservedEntries = InlineArray<16, UInt64>(repeating: 0)
  /// The first frame of the M2P table in the form of 32-bit guests, at a multiple of 2 MiB.
  public var compatWindow = MachineFrame(0)
  /// How many times 2 MiB it takes.
  public var compatWindowCount = 0
  /// The entry of a 32-bit vcpu's monitor table that leads to the pages for arguments.
  public var argumentEntry: UInt64 = 0
  /// First frame number that no processor can address.
  public var frameNumberLimit: UInt64 = 1 << 40
  /// The highest frame of RAM.
  public var highestFrame = MachineFrame(0)
  /// The firmware's memory map.
  public private(set) var machineRegions = InlineArray<64, MachineRegion>(
    repeating: MachineRegion())
  /// How many regions it has.
  public private(set) var machineRegionCount = 0

  /// The lines of devices' interrupts.
  public internal(set) var interrupts = InlineArray<64, PhysicalInterrupt>(
    repeating: PhysicalInterrupt())

  /// What runs is not to be interrupted: it has no caller that could make it again.
  var isUninterrupted = false

  /// The state at the start, with the processors that run.
  public init(online: ProcessorSet) { clock = TLBClock(online: online) }

  /// Adds a region to the firmware's memory map; one that finds no room is left out.
  public mutating func add(_ region: MachineRegion) {
    guard machineRegionCount < machineRegions.count else { return }
    machineRegions[machineRegionCount] = region
    machineRegionCount += 1
  }
}

/// The tables that the hypervisor works on.
private struct HypervisorTables: Sendable {
  let frames: FrameTable
  let physicalFrames: MachineToPhysicalTable
  let domains: DomainTable
}

/// The hypervisor: frames, domains and the machine they run on.
///
/// A handle to state elsewhere, no more than a pointer on the real machine, because every hypercall
/// takes a copy; copies mean the same hypervisor. The core lock is held around every
/// function of it, the calling processor's part at least: Locality.swift.
public struct Hypervisor<M: Machine> {
  /// The hardware.
  public let machine: M
  // SAFETY: points to one initialised state that lives as long as the hypervisor.
  /// Everything else.
  public let state: UnsafeMutablePointer<HypervisorState>

  /// Whether a long operation is to end early, because other work waits.
  @inline(__always) var shallYield: Bool {
    machine.isPreemptionPending && !state.pointee.isUninterrupted
  }

  /// Puts tables together that the caller has initialised.
  public init(
    machine: M, frames: FrameTable, physicalFrames: MachineToPhysicalTable, domains: DomainTable,
    state: UnsafeMutablePointer<HypervisorState>
  ) {
    self.machine = machine
    self.state = state
    state.pointee.tables = HypervisorTables(
      frames: frames, physicalFrames: physicalFrames, domains: domains)
  }

  // SAFETY: `init` has set the tables, and nothing takes them away.
  @inline(__always)
  private var tables: HypervisorTables { state.pointee.tables.unsafelyUnwrapped }

  /// One record for each frame.
  @inline(__always)
  public var frames: FrameTable { tables.frames }
  /// The table that guests read.
  @inline(__always)
  public var physicalFrames: MachineToPhysicalTable { tables.physicalFrames }
  /// All domains.
  @inline(__always)
  public var domains: DomainTable { tables.domains }

  /// Flushes the calling processor's TLB, and keeps account of it.
  public func flushLocal() {
    let beginning = state.pointee.clock.begin(on: machine)
    machine.flushTLB()
    var here = ProcessorSet.none
    here.insert(machine.currentProcessor)
    state.pointee.clock.noteFlush(of: here, since: beginning)
  }

  /// Flushes the TLBs of processors, and keeps account of it.
  ///
  /// Only after all of them have done it: another processor may ask the clock meanwhile.
  public func flush(_ processors: ProcessorSet) {
    guard !processors.isEmpty else { return }
    let beginning = state.pointee.clock.begin(on: machine)
    machine.flushTLB(on: processors)
    state.pointee.clock.noteFlush(of: processors, since: beginning)
  }

  /// Flushes wherever a translation from the time of a stamp may be left.
  func flushStale(since stamp: UInt32) {
    flush(state.pointee.clock.staleProcessors(since: stamp))
  }
}
