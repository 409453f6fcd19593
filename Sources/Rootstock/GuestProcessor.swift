// The bare-metal state of a vcpu: its registers while it does not run, its entry points, its
// stacks, segment bases and floating-point state. Page tables and descriptor tables are
// HypervisorCore's.

import CMachine
import CXenABI
import HypervisorCore

/// Where the guest's kernel wants to be entered.
struct EntryPoint: BitwiseCopyable {
  var address: UInt64 = 0
  var selector: UInt16 = UInt16(XG_GUEST_CS64)
  /// Bits 0 and 1: who may use it by `int n`; bit 2: mask events (XEN_TRAP in abi/traps.yaml).
  var flags: UInt8 = 0

  var masksEvents: Bool { flags & 4 != 0 }
  var privilege: UInt8 { flags & 3 }
}

/// A vcpu as the machine runs it.
///
/// On ways that are taken all the time its functions are `mutating` where they change nothing, too: for a
/// call of one that may not change it, the compiler copies half a kilobyte.
struct GuestProcessor {
  // SAFETY: these point to frames of the hypervisor's that live as long as the domain.
  /// Its page and descriptor tables.
  let core: UnsafeMutablePointer<VCPU>
  /// Its trap table, 256 entries.
  let traps: UnsafeMutablePointer<EntryPoint>
  /// Its floating-point state while it does not run.
  let floatingPoint: UnsafeMutableRawPointer
  /// In which order it uses what it shares; not here, so that switches do not carry it about.
  let order: UnsafeMutablePointer<OrderState>
  // SAFETY: set by `adopt` before anything else; as above.
  /// Its domain.
  private(set) var domain: DomainPointer
  /// Its domain's bare-metal state.
  private(set) var guest: GuestDomainPointer
  // SAFETY: points into the domain's shared information page, into a frame that is referenced, or
  // to a place of its own; each outlives its use.
  /// What it shares with the guest.
  var shared: UnsafeMutablePointer<vcpu_info>

  /// Its place in the scheduler.
  var slot = SchedulerSlot(index: 0)
  /// The registers while another vcpu, or none, runs.
  var saved = xg_frame()
  /// Kernel and user mode share ring 3: this says which it is.
  var isKernelMode = true
  /// Its domain's kernel is 32-bit code in ring 1; then the mode is that of the last trap's selector.
  var is32Bit = false
  /// Stack selector of a 32-bit kernel on entry from user mode.
  var kernelStackSelector = UInt16(XG_COMPAT_KERNEL_DS)
  /// It is inside a multicall, which does not nest.
  var isInMulticall = false
  /// CR0.TS as the guest has set it.
  var isTaskSwitched = false
  /// It has asked to sleep until an event, or the end of its poll.
  var wantsSleep = false
  /// It sleeps in a poll, whatever its upcalls.
  var isPolling = false
  /// An NMI waits for it; set under the scheduler lock, and taken by the CPU that runs it.
  var isNMIPending = false
  /// The handler of an NMI runs, until the iret hypercall.
  var isNMIMasked = false
  var kernelStack: UInt64 = 0
  /// Its XCR0.
  var extendedComponents = FloatingPoint.initialComponents
  /// Its debug registers.
  var debug = DebugRegisters()
  /// What of the I/O ports it may reach.
  var portAccess = PortAccess()
  /// Bits of CR4 that the guest has set of those that it may (Features.guestControls).
  var controls: UInt64 = 0
  var eventEntry = EntryPoint(flags: 4)
  var failsafeEntry = EntryPoint()
  var syscallEntry = EntryPoint()
  var syscall32Entry = EntryPoint()
  var sysenterEntry = EntryPoint()
  /// The bases that the hardware does not hold at the moment are kept by the processor's MSRs
  /// while the vcpu runs, and here while it does not.
  var fsBase: UInt64 = 0
  var gsBaseKernel: UInt64 = 0
  var gsBaseUser: UInt64 = 0
  var segments = SegmentSelectors()
  var timers = GuestTimers()
  /// Where the guest wants to read its run state; 0 for nowhere.
  var runstateArea: UInt64 = 0
  /// Where it wants a copy of the time parameters; 0 for nowhere.
  var timeArea: UInt64 = 0
  /// What stands there is not the latest.
  var isRunstateStale = false

  /// A vcpu that belongs to no domain yet.
  init(
    core: UnsafeMutablePointer<VCPU>, traps: UnsafeMutablePointer<EntryPoint>,
    info: UnsafeMutablePointer<vcpu_info>, floatingPoint: UnsafeMutableRawPointer,
    order: UnsafeMutablePointer<OrderState>
  ) {
    self.core = core
    self.traps = traps
    self.shared = info
    self.floatingPoint = floatingPoint
    self.order = order
    // SAFETY: replaced by `adopt` before the vcpu is used; a place that no one reads until then.
    domain = UnsafeMutableRawPointer(core).assumingMemoryBound(to: Domain.self)
    guest = UnsafeMutableRawPointer(core).assumingMemoryBound(to: GuestDomain.self)
  }

  /// Says whose vcpu it is.
  mutating func adopt(_ domain: DomainPointer) {
    self.domain = domain
    guest = domain.pointee.guest
  }

  /// Its place in memory, which also names it.
  var address: UInt64 { UInt64(UInt(bitPattern: core.pointee.context)) }
}

/// A vcpu's place in memory.
typealias GuestProcessorPointer = UnsafeMutablePointer<GuestProcessor>

/// The registers of the guest that has just been left, at the top of the main stack.
typealias FramePointer = UnsafeMutablePointer<xg_frame>

extension GuestProcessor {
  /// The vcpu that runs on this CPU.
  @inline(__always) static var current: GuestProcessorPointer {
    // SAFETY: called only where a guest runs or has just been left, so the address is set.
    UnsafeMutablePointer(bitPattern: UInt(xg_this_cpu().pointee.vcpu)).unsafelyUnwrapped
  }

  /// The guest's virtual interrupt flag, inverted: events wait while it is set.
  var upcallMask: UInt8 {
    get { shared.pointee.evtchn_upcall_mask }
    nonmutating set { shared.pointee.evtchn_upcall_mask = newValue }
  }

  /// An event waits for it, whether it has masked events or not.
  var isUpcallPending: Bool { shared.pointee.evtchn_upcall_pending != 0 }

  /// Assists that are on, of the whole domain: bits numbered by VMASST_TYPE.
  var assists: UInt64 {
    get { domain.pointee.assists }
    nonmutating set { domain.pointee.assists = newValue }
  }

  /// Changes to the guest's kernel from user mode, or back, with the table of that mode: page tables, and the bases of GS.
  ///
  /// Both bases belong to the guest, so one swapgs is all; the hypervisor itself uses none.
  @inline(__always)
  mutating func enterMode(isKernel: Bool, _ table: MachineFrame?) {
    isKernelMode = isKernel
    xg_swapgs()
    if let table { xg_write_cr3(table.address.value) }
  }

  /// The top table of the mode that it is in.
  var table: MachineFrame? {
    if let monitor = core.pointee.monitorTable { return monitor }
    return isKernelMode ? core.pointee.kernelTable : core.pointee.userTable
  }

  /// Loads what the hardware holds for a vcpu while it runs.
  ///
  /// One that is resumed finds its page and descriptor tables loaded, as nobody else ran here. Answers
  /// whether its segment selectors could be loaded.
  mutating func load(isResumed: Bool) -> Bool {
    core.pointee.processor = ProcessorID(UInt8(truncatingIfNeeded: xg_this_cpu().pointee.index))
    if let table, !isResumed || xg_read_cr3() != table.address.value {
      xg_write_cr3(table.address.value)
    }
    xg_this_cpu().pointee.table_owner = xg_this_cpu().pointee.vcpu
    Features.setGuestControls(controls, isCompat: is32Bit)
    PerCPU.showReservedDescriptors(isCompat: is32Bit)
    xg_this_cpu().pointee.compat_end = is32Bit ? domain.pointee.reservedStart : 0
    if !isResumed {
      loadGDT()
      loadLocalTable()
    }
    let hasSegments = loadSegments()
    loadDebugRegisters()
    FloatingPoint.restore(
      floatingPoint, components: extendedComponents, isTaskSwitched: isTaskSwitched)
    return hasSegments
  }

  /// Takes back what the hardware has held for it.
  mutating func save() {
    saveSegments()
    FloatingPoint.save(floatingPoint)
  }
}
