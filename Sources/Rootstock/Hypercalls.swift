// The hypercall table: one line each, handlers elsewhere. Every number that is not here answers
// -ENOSYS.

import CMachine
import CRootstock
import CXenABI
import HypervisorCore

extension HypercallArguments {
  /// The registers of the ABI, in its order.
  @inline(__always)
  init(_ frame: FramePointer) {
    self.init(
      frame.pointee.rdi, frame.pointee.rsi, frame.pointee.rdx, frame.pointee.r10,
      frame.pointee.r8, frame.pointee.r9)
  }

  /// Puts the progress of a call that is to be made again where it finds its arguments.
  func store(in frame: FramePointer) {
    frame.pointee.rdi = self[0]
    frame.pointee.rsi = self[1]
    frame.pointee.rdx = self[2]
    frame.pointee.r10 = self[3]
    frame.pointee.r8 = self[4]
    frame.pointee.r9 = self[5]
  }

  /// An argument that is an address.
  func address(_ index: Int) -> GuestVirtualAddress { GuestVirtualAddress(self[index]) }

  /// An argument that the ABI has as 32 bits: the upper half is not looked at.
  func word(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: self[index]) }

  /// An argument that chooses an operation.
  func command(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: self[index]) }
}

extension GuestProcessor {
  /// Carries out a hypercall out of the guest's kernel.
  @inline(__always)
  mutating func hypercall(_ frame: FramePointer) {
    let number = frame.pointee.rax
    var arguments = HypercallArguments(frame)
    switch perform(number, &arguments, frame) {
    case .value(let value):
      finish(number, with: value, frame)
    case .again:
      // Back onto the syscall instruction: rax still has the number.
      arguments.store(in: frame)
      frame.pointee.rip &-= 2
    }
  }

  /// Counts a hypercall and gives its result to the guest.
  @inline(__always)
  func finish(_ number: UInt64, with value: Int64, _ frame: FramePointer) {
    guest.pointee.record.pointee.count(call: number, failed: value < 0)
    frame.pointee.rax = UInt64(bitPattern: value)
  }

  /// The table.
  @inline(__always)
  mutating func perform(
    _ number: UInt64, _ arguments: inout HypercallArguments, _ frame: FramePointer
  ) -> HypercallResult {
    switch Int32(truncatingIfNeeded: min(number, 0xffff)) {
    case __HYPERVISOR_set_trap_table: return setTrapTable(arguments)
    case __HYPERVISOR_mmu_update: return mmuUpdate(&arguments)
    case __HYPERVISOR_set_gdt: return setGDT(&arguments)
    case __HYPERVISOR_stack_switch: return stackSwitch(arguments)
    case __HYPERVISOR_set_callbacks: return setCallbacks(arguments)
    case __HYPERVISOR_fpu_taskswitch: return fpuTaskSwitch(arguments)
    case __HYPERVISOR_set_debugreg: return setDebugRegister(arguments)
    case __HYPERVISOR_get_debugreg: return debugRegister(arguments)
    case __HYPERVISOR_update_descriptor:
      let caller = caller
      return withDomain(caller.domain) {
        Host.hypervisor.updateDescriptor(&arguments, from: caller)
      }
    case __HYPERVISOR_memory_op:
      return withCore { Host.hypervisor.memoryOperation(&arguments, from: caller) }
    case __HYPERVISOR_multicall: return multicall(&arguments, frame)
    case __HYPERVISOR_update_va_mapping:
      let caller = caller
      return withDomain(caller.domain) { Host.hypervisor.updateVAMapping(&arguments, from: caller) }
    case __HYPERVISOR_set_timer_op: return setTimer(arguments)
    case __HYPERVISOR_xen_version: return VersionHypercall.perform(arguments, from: guest)
    case __HYPERVISOR_console_io: return ConsoleHypercall.perform(&arguments, from: guest)
    case __HYPERVISOR_grant_table_op: return grantTableOperation(&arguments)
    case __HYPERVISOR_vm_assist: return vmAssist(arguments)
    case __HYPERVISOR_update_va_mapping_otherdomain:
      return withCore {
        Host.hypervisor.updateVAMapping(&arguments, otherDomain: true, from: caller)
      }
    case __HYPERVISOR_vcpu_op: return vcpuOperation(arguments)
    case __HYPERVISOR_set_segment_base: return setSegmentBase(arguments)
    case __HYPERVISOR_mmuext_op: return mmuExtendedOperation(&arguments)
    case __HYPERVISOR_physdev_op: return physicalDevice(arguments)
    case __HYPERVISOR_sched_op: return schedule(arguments)
    case __HYPERVISOR_event_channel_op: return eventChannelOperation(&arguments)
    case __HYPERVISOR_sched_op_compat: return scheduleByOldCall(arguments)
    case __HYPERVISOR_event_channel_op_compat: return eventChannelByOldCall(&arguments)
    case __HYPERVISOR_callback_op: return callbackOperation(arguments)
    case __HYPERVISOR_nmi_op: return nmiOperation(arguments)
    case ROOTSTOCK_CONTROL: return control(arguments)
    default: return .error(.noSuchCall)
    }
  }

  mutating func mmuUpdate(_ arguments: inout HypercallArguments) -> HypercallResult {
    let caller = caller
    return withDomain(caller.domain) { Host.hypervisor.mmuUpdate(&arguments, from: caller) }
  }

  /// Who calls, as HypervisorCore knows it.
  var caller: Caller { Caller(domain: domain, vcpu: core) }
}

/// The result of a handler that throws the ABI's errors.
@inline(__always)
func answer(_ handler: () throws(HypercallError) -> Int64) -> HypercallResult {
  do throws(HypercallError) { return .value(try handler()) } catch { return .error(error) }
}
