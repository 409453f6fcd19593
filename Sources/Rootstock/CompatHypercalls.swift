// Hypercalls of 32-bit guests: arguments in ebx, ecx, edx, esi, edi and ebp, the result in eax. Values of
// 64 bits take two registers, the low half first. Structures with words or pointers in them have a form
// of their own (HypervisorCore's CompatArguments); the others are those of 64-bit guests.

import CMachine
import CRootstock
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// Carries out a hypercall out of ring 1.
  mutating func compatHypercall(_ frame: FramePointer) {
    // The gate takes ring 1 alone, but for rings that do not exist here.
    guard isKernelMode else {
      frame.pointee.rip &-= 2
      return deliver(
        Vector.generalProtection, frame, errorCode: UInt32(XG_VECTOR_HYPERCALL) << 3 | 2)
    }
    let number = frame.pointee.rax & 0xffff_ffff
    if number == UInt64(__HYPERVISOR_iret) { return returnFromCompatHandler(frame) }
    // The calls that kernels make most often, as of 64-bit guests (Traps.swift).
    let command = Int32(truncatingIfNeeded: frame.pointee.rbx)
    if number == UInt64(__HYPERVISOR_event_channel_op), command == EVTCHNOP_send {
      let argument = GuestVirtualAddress(frame.pointee.rcx & 0xffff_ffff)
      return finishCompat(number, with: sendEvent(named: argument), frame)
    }
    if number == UInt64(__HYPERVISOR_xen_version), command == XENVER_version {
      return finishCompat(number, with: Int64(VersionHypercall.version), frame)
    }
    performCompatHypercall(number, frame)
  }

  /// Counts a hypercall and gives its result to the guest.
  @inline(__always)
  private func finishCompat(_ number: UInt64, with value: Int64, _ frame: FramePointer) {
    guest.pointee.record.pointee.count(call: number, failed: value < 0)
    frame.pointee.rax = UInt64(UInt32(truncatingIfNeeded: value))
  }

  @inline(never)
  private mutating func performCompatHypercall(_ number: UInt64, _ frame: FramePointer) {
    var arguments = HypercallArguments(
      frame.pointee.rbx & 0xffff_ffff, frame.pointee.rcx & 0xffff_ffff,
      frame.pointee.rdx & 0xffff_ffff, frame.pointee.rsi & 0xffff_ffff,
      frame.pointee.rdi & 0xffff_ffff, frame.pointee.rbp & 0xffff_ffff)
    switch performCompat(number, &arguments, frame) {
    case .value(let value): finishCompat(number, with: value, frame)
    case .again:
      frame.pointee.rbx = arguments[0]
      frame.pointee.rcx = arguments[1]
      frame.pointee.rdx = arguments[2]
      frame.pointee.rsi = arguments[3]
      frame.pointee.rdi = arguments[4]
      frame.pointee.rbp = arguments[5]
      frame.pointee.rip &-= 2
    }
  }

  /// Two registers as one value.
  private static func pair(_ arguments: HypercallArguments, _ low: Int) -> UInt64 {
    arguments[low] | arguments[low + 1] << 32
  }

  /// The table: what differs, and behind it that of 64-bit guests.
  mutating func performCompat(
    _ number: UInt64, _ arguments: inout HypercallArguments, _ frame: FramePointer
  ) -> HypercallResult {
    switch Int32(truncatingIfNeeded: min(number, 0xffff)) {
    case __HYPERVISOR_set_trap_table: return setCompatTrapTable(arguments)
    case __HYPERVISOR_stack_switch:
      kernelStackSelector = Hypervisor<MetalMachine>.ring1(UInt16(truncatingIfNeeded: arguments[0]))
      kernelStack = arguments[1]
      return .value(0)
    case __HYPERVISOR_set_callbacks:
      eventEntry = Self.compatEntry(arguments[0], arguments[1], flags: 4)
      failsafeEntry = Self.compatEntry(arguments[2], arguments[3], flags: 0)
      return .value(0)
    case __HYPERVISOR_callback_op: return compatCallbackOperation(arguments)
    case __HYPERVISOR_update_descriptor:
      var wide = HypercallArguments(Self.pair(arguments, 0), Self.pair(arguments, 2))
      let caller = caller
      return withDomain(caller.domain) { Host.hypervisor.updateDescriptor(&wide, from: caller) }
    case __HYPERVISOR_update_va_mapping:
      var wide = HypercallArguments(arguments[0], Self.pair(arguments, 1), arguments[3])
      let caller = caller
      return withDomain(caller.domain) { Host.hypervisor.updateVAMapping(&wide, from: caller) }
    case __HYPERVISOR_update_va_mapping_otherdomain:
      var wide = HypercallArguments(
        arguments[0], Self.pair(arguments, 1), arguments[3], arguments[4])
      return withCore {
        Host.hypervisor.updateVAMapping(&wide, otherDomain: true, from: caller)
      }
    case __HYPERVISOR_set_timer_op:
      return setTimer(HypercallArguments(Self.pair(arguments, 0)))
    case __HYPERVISOR_memory_op:
      return withCore { Host.hypervisor.compatMemoryOperation(&arguments, from: caller) }
    case __HYPERVISOR_grant_table_op:
      return compatGrantTableOperation(&arguments)
    case __HYPERVISOR_multicall: return compatMulticall(&arguments, frame)
    case __HYPERVISOR_sched_op where arguments.command(0) == SCHEDOP_poll:
      return withForm("lwq", &arguments) { vcpu, arguments in vcpu.schedule(arguments) }
    case __HYPERVISOR_physdev_op where arguments.command(0) == PHYSDEVOP_set_iobitmap:
      return withForm("lw", &arguments) { vcpu, arguments in vcpu.physicalDevice(arguments) }
    case __HYPERVISOR_nmi_op where arguments.command(0) == XENNMI_register_callback:
      return withForm("ll", &arguments) { vcpu, arguments in vcpu.nmiOperation(arguments) }
    case __HYPERVISOR_vm_assist where arguments.word(1) >= 32: return .error(.invalid)
    case __HYPERVISOR_xen_version
    where arguments.command(0) == XENVER_platform_parameters:
      let start = UInt32(truncatingIfNeeded: domain.pointee.reservedStart)
      return GuestMemory.store(start, to: arguments.address(1)) ? .value(0) : .error(.fault)
    // Bases are those of descriptors; and domain 0, which controls others, is a 64-bit guest.
    case __HYPERVISOR_set_segment_base, ROOTSTOCK_CONTROL: return .error(.noSuchCall)
    default: return perform(number, &arguments, frame)
    }
  }

  /// A call whose second argument points to a structure of another form.
  private mutating func withForm(
    _ fields: StaticString, _ arguments: inout HypercallArguments,
    _ call: (inout GuestProcessor, HypercallArguments) -> HypercallResult
  ) -> HypercallResult {
    Host.hypervisor.withWidened(
      CompatLayout(fields), argument: 1, isWrittenBack: false, &arguments
    ) { call(&self, $0) }
  }

  /// Rows of eight bytes up to one with address 0, as of 64-bit guests.
  private mutating func setCompatTrapTable(_ arguments: HypercallArguments) -> HypercallResult {
    guard arguments[0] != 0 else {
      traps.update(repeating: EntryPoint(), count: 256)
      return .value(0)
    }
    for index in 0..<UInt64(4096) {
      let place = GuestVirtualAddress(arguments[0] + index * 8)
      guard let row = GuestMemory.load64(from: place) else { return .error(.fault) }
      if row >> 32 == 0 { return .value(0) }
      takeCompatTrap(row)
    }
    return .error(.invalid)
  }

  /// A row of the trap table: vector, flags, cs, address.
  func takeCompatTrap(_ row: UInt64) {
    traps[Int(row & 255)] = Self.compatEntry(
      row >> 16 & 0xffff, row >> 32, flags: UInt8(truncatingIfNeeded: row >> 8 & 7))
  }

  /// Where a 32-bit kernel is entered, by a selector and an address in registers or words.
  static func compatEntry(_ selector: UInt64, _ address: UInt64, flags: UInt8) -> EntryPoint {
    EntryPoint(
      address: address & 0xffff_ffff,
      selector: Hypervisor<MetalMachine>.ring1(UInt16(truncatingIfNeeded: selector)), flags: flags)
  }

  /// callback_op, whose callbacks are a selector and an address.
  private mutating func compatCallbackOperation(
    _ arguments: HypercallArguments
  ) -> HypercallResult {
    guard arguments.command(0) == CALLBACKOP_register else { return callbackOperation(arguments) }
    guard let head = GuestMemory.load64(from: arguments.address(1)),
      let rest = arguments.address(1).advanced(by: 8),
      let address = GuestMemory.load32(from: rest)
    else { return .error(.fault) }
    let masks = Int32(truncatingIfNeeded: head >> 16 & 0xffff) & CALLBACKF_mask_events != 0
    let entry = Self.compatEntry(head >> 32, UInt64(address), flags: masks ? 4 : 0)
    let masking = Self.compatEntry(head >> 32, UInt64(address), flags: 4)
    switch Int32(head & 0xffff) {
    case CALLBACKTYPE_event: eventEntry = masking
    case CALLBACKTYPE_failsafe: failsafeEntry = entry
    case CALLBACKTYPE_syscall32: syscall32Entry = entry
    case CALLBACKTYPE_sysenter: sysenterEntry = entry
    case CALLBACKTYPE_nmi: traps[Int(Vector.nonMaskable)] = masking
    default: return .error(.noSuchCall)
    }
    return .value(0)
  }
}
