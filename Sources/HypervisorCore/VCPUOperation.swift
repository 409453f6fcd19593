// Hypercall vcpu_op: which vcpu, what is asked of it, and what the machine has left to do.

import CXenABI
import XenABI

/// What the machine does for a vcpu_op that has been checked.
public enum VCPUAction: Hashable, Sendable {
  /// Nothing: this is the answer.
  case answer(Int64)
  /// It takes the trap table and the FPU state out of a vcpu_guest_context and calls `initialise`.
  case initialise(GuestVirtualAddress)
  /// It lets the vcpu run.
  case start
  /// It stops the vcpu.
  case stop
  /// It ends the domain as by SCHEDOP_shutdown: the last vcpu goes down.
  case powerOff
  /// It writes vcpu_runstate_info.
  case tellRunState(GuestVirtualAddress)
  /// It keeps a vcpu_runstate_info up to date from now on, and writes it now if the vcpu is the
  /// caller; nil for none.
  case keepRunState(GuestVirtualAddress?)
  /// It keeps a vcpu_time_info up to date likewise.
  case keepTime(GuestVirtualAddress?)
  /// It raises VIRQ_TIMER in this interval of nanoseconds; nil for no longer.
  case setPeriodicTimer(UInt64?)
  /// It raises VIRQ_TIMER at this system time, at once if that has passed; nil for never.
  case setSingleShotTimer(UInt64?)
  /// It marks an NMI pending.
  case sendNMI
}

/// A vcpu and what is to be done with it.
public struct VCPURequest {
  /// The vcpu that the guest named.
  public var vcpu: UnsafeMutablePointer<VCPU>
  /// What is to be done.
  public var action: VCPUAction
}

/// Limits of periodic timers, in nanoseconds.
private enum TimerPeriod {
  static var shortest: UInt64 { 1_000_000 }
  /// Beyond any meaning, and far from where sums of times wrap round.
  static var longest: UInt64 { 1 << 62 }
}

extension Hypervisor {
  /// vcpu_op(command, vcpu, argument).
  ///
  /// The machine answers 0 after an action, unless that fails.
  public func vcpuOperation(
    _ arguments: HypercallArguments, from caller: Caller
  ) throws(HypercallError) -> VCPURequest {
    let vcpu = try vcpu(UInt32(truncatingIfNeeded: arguments[1]), of: caller.domain)
    let argument = GuestVirtualAddress(arguments[2])
    let action: VCPUAction
    switch Int32(truncatingIfNeeded: arguments[0]) {
    case VCPUOP_initialise: action = try checkInitialise(vcpu, argument, caller.domain)
    case VCPUOP_up: action = try bringUp(vcpu)
    case VCPUOP_down: action = takeDown(vcpu, of: caller.domain)
    case VCPUOP_is_up: action = .answer(vcpu.pointee.isUp ? 1 : 0)
    case VCPUOP_get_runstate_info: action = .tellRunState(argument)
    case VCPUOP_register_runstate_memory_area:
      action = .keepRunState(
        try readArea(argument, MemoryLayout<vcpu_runstate_info>.size, caller.domain))
    case VCPUOP_register_vcpu_time_memory_area:
      action = .keepTime(
        try readArea(argument, MemoryLayout<vcpu_time_info>.size, caller.domain))
    case VCPUOP_set_periodic_timer: action = try readPeriodicTimer(argument)
    case VCPUOP_stop_periodic_timer: action = .setPeriodicTimer(nil)
    case VCPUOP_set_singleshot_timer:
      guard vcpu == caller.vcpu else { throw .invalid }
      action = try readSingleShotTimer(argument)
    case VCPUOP_stop_singleshot_timer:
      guard vcpu == caller.vcpu else { throw .invalid }
      action = .setSingleShotTimer(nil)
    case VCPUOP_register_vcpu_info: action = try registerInfo(vcpu, argument, caller)
    case VCPUOP_send_nmi:
      guard argument.value == 0 else { throw .invalid }
      action = .sendNMI
    // No vcpu is bound to a processor for ever.
    case VCPUOP_get_physid: throw .invalid
    default: throw .noSuchCall
    }
    return VCPURequest(vcpu: vcpu, action: action)
  }

  /// A bad pointer is told before a vcpu that has its state, as on Xen.
  private func checkInitialise(
    _ vcpu: UnsafeMutablePointer<VCPU>, _ argument: GuestVirtualAddress, _ domain: DomainPointer
  ) throws(HypercallError) -> VCPUAction {
    // Of a 32-bit guest vm_assist, the last word, stands last as well.
    let last =
      domain.pointee.is32Bit
      ? UInt64(Xen.OffsetX86_32.vcpu_guest_context.vm_assist - 4)
      : UInt64(MemoryLayout<vcpu_guest_context>.size - 8)
    _ = try readWord(at: argument)
    _ = try readWord(at: try element(last, ofSize: 1, from: argument))
    guard !vcpu.pointee.isInitialised else { throw .exists }
    guard Int(vcpu.pointee.id.rawValue) < Int(XEN_LEGACY_MAX_VCPUS) || vcpu.pointee.infoFrame != nil
    else { throw .invalid }
    return .initialise(argument)
  }

  private func bringUp(_ vcpu: UnsafeMutablePointer<VCPU>) throws(HypercallError) -> VCPUAction {
    guard vcpu.pointee.isInitialised else { throw .invalid }
    guard !vcpu.pointee.isUp else { return .answer(0) }
    vcpu.pointee.isUp = true
    return .start
  }

  private func takeDown(
    _ vcpu: UnsafeMutablePointer<VCPU>, of domain: DomainPointer
  ) -> VCPUAction {
    var others = 0
    for index in 0..<domain.pointee.vcpuCount
    where domain.pointee.vcpus[index] != vcpu && domain.pointee.vcpus[index].pointee.isUp {
      others += 1
    }
    guard others > 0 else { return .powerOff }
    guard vcpu.pointee.isUp else { return .answer(0) }
    vcpu.pointee.isUp = false
    return .stop
  }

  /// The address of an area that the machine will write to again and again, by the guest's page
  /// tables of the time; here it is only held off the hypervisor's range.
  private func readArea(
    _ argument: GuestVirtualAddress, _ byteCount: Int, _ domain: DomainPointer
  ) throws(HypercallError) -> GuestVirtualAddress? {
    // The field is wider than a 32-bit guest's pointer, which is all that it fills in.
    let address = GuestVirtualAddress(try readFrameNumber(0, of: argument, domain))
    guard isOwnRange(address, byteCount: UInt64(byteCount), of: domain) else { throw .fault }
    return address.value == 0 ? nil : address
  }

  private func readPeriodicTimer(
    _ argument: GuestVirtualAddress
  ) throws(HypercallError) -> VCPUAction {
    let period = try readWord(at: argument)
    guard period >= TimerPeriod.shortest, period <= TimerPeriod.longest else { throw .invalid }
    return .setPeriodicTimer(period)
  }

  private func readSingleShotTimer(
    _ argument: GuestVirtualAddress
  ) throws(HypercallError) -> VCPUAction {
    let words = try readWords(2, from: argument)
    let flags = Int32(truncatingIfNeeded: words[1])
    if flags & VCPU_SSHOTTMR_future != 0, words[0] < machine.now { throw .timePassed }
    return .setSingleShotTimer(words[0])
  }

  private func registerInfo(
    _ vcpu: UnsafeMutablePointer<VCPU>, _ argument: GuestVirtualAddress, _ caller: Caller
  ) throws(HypercallError) -> VCPUAction {
    let words = try readWords(2, from: argument)
    let offset = UInt32(truncatingIfNeeded: words[1])
    // What a running vcpu uses does not move under it.
    if vcpu != caller.vcpu, vcpu.pointee.isUp { throw .invalid }
    try registerInfo(
      of: vcpu, in: MachineFrame(words[0]), offset: offset, domain: caller.domain)
    return .answer(0)
  }
}
