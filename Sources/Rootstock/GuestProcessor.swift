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
struct GuestProcessor {
  // SAFETY: both point to records of HypervisorCore that outlive the vcpu.
  /// Its domain.
  let domain: DomainPointer
  /// Its page and descriptor tables.
  let core: UnsafeMutablePointer<VCPU>
  /// The registers while another vcpu, or none, runs.
  var saved = xg_frame()
  /// Kernel and user mode share ring 3: this says which it is.
  var isKernelMode = true
  var kernelStack: UInt64 = 0
  /// CR0.TS as the guest has set it.
  var isTaskSwitched = false
  /// A full return by iretq is needed, because rcx and r11 count.
  var needsFullReturn = false
  /// Assists that are on: bits numbered by VMASST_TYPE.
  var assists: UInt64 = 0
  /// Bits of CR4 that the guest has set of those that it may: DE and TSD.
  var controls: UInt64 = 0
  /// It is inside a multicall, which does not nest.
  var isInMulticall = false
  var eventEntry = EntryPoint(flags: 4)
  var failsafeEntry = EntryPoint()
  var syscallEntry = EntryPoint()
  var syscall32Entry = EntryPoint()
  var sysenterEntry = EntryPoint()
  var traps = InlineArray<256, EntryPoint>(repeating: EntryPoint())
  /// The bases that the hardware does not hold at the moment are kept by the processor's MSRs
  /// while the vcpu runs, and here while it does not.
  var fsBase: UInt64 = 0
  var gsBaseKernel: UInt64 = 0
  var gsBaseUser: UInt64 = 0
  // SAFETY: points into the domain's shared information page, which outlives the vcpu.
  /// What it shares with the guest.
  var shared: UnsafeMutablePointer<vcpu_info>
  // SAFETY: a page of the hypervisor's that only this vcpu uses.
  /// Its floating-point state while it does not run.
  let floatingPoint: UnsafeMutableRawPointer

  init(
    domain: DomainPointer, core: UnsafeMutablePointer<VCPU>,
    shared: UnsafeMutablePointer<vcpu_info>,
    floatingPoint: UnsafeMutableRawPointer
  ) {
    self.domain = domain
    self.core = core
    self.shared = shared
    self.floatingPoint = floatingPoint
  }
}

/// A vcpu's place in memory.
typealias GuestProcessorPointer = UnsafeMutablePointer<GuestProcessor>

/// The registers of the guest that has just been left, at the top of the main stack.
typealias FramePointer = UnsafeMutablePointer<xg_frame>

extension GuestProcessor {
  /// The vcpu that runs on this CPU.
  static var current: GuestProcessorPointer {
    // SAFETY: called only on the way in from a guest, so a vcpu runs here and its address is set.
    UnsafeMutablePointer(bitPattern: UInt(xg_this_cpu().pointee.vcpu)).unsafelyUnwrapped
  }

  /// The guest's virtual interrupt flag, inverted: events wait while it is set.
  var upcallMask: UInt8 {
    get { shared.pointee.evtchn_upcall_mask }
    nonmutating set { shared.pointee.evtchn_upcall_mask = newValue }
  }

  /// Changes between the guest's kernel and user mode: page tables, and the bases of GS.
  ///
  /// Both bases belong to the guest, so one swapgs is all; the hypervisor itself uses none.
  mutating func toggleMode() {
    isKernelMode.toggle()
    xg_swapgs()
    if let table { xg_write_cr3(table.address.value) }
  }

  /// The top table of the mode that it is in.
  private var table: MachineFrame? {
    isKernelMode ? core.pointee.kernelTable : core.pointee.userTable
  }

  /// Loads what the hardware holds for a vcpu while it runs.
  mutating func load() {
    core.pointee.processor = ProcessorID(UInt8(truncatingIfNeeded: xg_this_cpu().pointee.index))
    if let table { xg_write_cr3(table.address.value) }
    Features.setGuestControls(controls)
    xg_wrmsr(MSR.fsBase, fsBase)
    xg_wrmsr(MSR.gsBase, isKernelMode ? gsBaseKernel : gsBaseUser)
    xg_wrmsr(MSR.kernelGSBase, isKernelMode ? gsBaseUser : gsBaseKernel)
    FloatingPoint.restore(floatingPoint, isTaskSwitched: isTaskSwitched)
  }
}
