// The hypercall table: one line each, handlers elsewhere. Every number that is not here answers
// -ENOSYS.

import CMachine
import CXenABI
import HypervisorCore

/// The six argument registers, in the ABI's order.
struct HypercallArguments: BitwiseCopyable {
  var first: UInt64 = 0
  var second: UInt64 = 0
  var third: UInt64 = 0
  var fourth: UInt64 = 0
  var fifth: UInt64 = 0
  var sixth: UInt64 = 0

  init() {}

  init(_ frame: FramePointer) {
    first = frame.pointee.rdi
    second = frame.pointee.rsi
    third = frame.pointee.rdx
    fourth = frame.pointee.r10
    fifth = frame.pointee.r8
    sixth = frame.pointee.r9
  }

  /// An argument that is an address.
  var firstAddress: GuestVirtualAddress { GuestVirtualAddress(first) }
  var secondAddress: GuestVirtualAddress { GuestVirtualAddress(second) }
  var thirdAddress: GuestVirtualAddress { GuestVirtualAddress(third) }
  /// An argument that the ABI has as 32 bits: the upper half is not looked at.
  var firstWord: UInt32 { UInt32(truncatingIfNeeded: first) }
  var secondWord: UInt32 { UInt32(truncatingIfNeeded: second) }
}

extension GuestProcessor {
  /// Carries out a hypercall out of the guest's kernel.
  mutating func hypercall(_ frame: FramePointer) {
    let number = frame.pointee.rax
    if number == UInt64(__HYPERVISOR_iret) {
      returnFromHandler(frame)
      return
    }
    do throws(HypercallError) {
      let result = try perform(number, HypercallArguments(frame), frame)
      frame.pointee.rax = UInt64(bitPattern: result)
    } catch {
      frame.pointee.rax = UInt64(bitPattern: -error.rawValue)
    }
  }

  /// The table.
  mutating func perform(
    _ number: UInt64, _ arguments: HypercallArguments, _ frame: FramePointer
  ) throws(HypercallError) -> Int64 {
    switch Int32(truncatingIfNeeded: min(number, 0xffff)) {
    case __HYPERVISOR_set_trap_table: try setTrapTable(arguments)
    case __HYPERVISOR_stack_switch: stackSwitch(arguments)
    case __HYPERVISOR_set_callbacks: setCallbacks(arguments)
    case __HYPERVISOR_fpu_taskswitch: fpuTaskSwitch(arguments)
    case __HYPERVISOR_multicall: try multicall(arguments, frame)
    case __HYPERVISOR_xen_version: try VersionHypercall.perform(arguments)
    case __HYPERVISOR_console_io: try ConsoleHypercall.perform(arguments)
    case __HYPERVISOR_set_segment_base: try setSegmentBase(arguments)
    case __HYPERVISOR_sched_op: try schedule(arguments, frame)
    case __HYPERVISOR_callback_op: try callbackOperation(arguments)
    default: throw .noSuchCall
    }
  }
}
