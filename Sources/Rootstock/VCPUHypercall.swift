// vcpu_op: HypervisorCore checks, and says what is left to do here (abi/vcpu.yaml).

import CMachine
import CXenABI
import HypervisorCore

extension GuestProcessor {
  mutating func vcpuOperation(_ arguments: HypercallArguments) -> HypercallResult {
    do throws(HypercallError) {
      let request = try Self.check(arguments, from: caller)
      let target = request.vcpu.pointee.guest
      if arguments.command(0) == VCPUOP_register_vcpu_info { target.pointee.findInfo() }
      return try carryOut(request.action, on: target)
    } catch {
      return .error(error)
    }
  }

  /// Timers are set all the time, and their checks only read.
  private static func check(
    _ arguments: HypercallArguments, from caller: Caller
  ) throws(HypercallError) -> VCPURequest {
    switch arguments.command(0) {
    case VCPUOP_set_singleshot_timer, VCPUOP_stop_singleshot_timer, VCPUOP_get_runstate_info:
      CoreLock.takePart()
      defer { CoreLock.releasePart() }
      return try Host.hypervisor.vcpuOperation(arguments, from: caller)
    default:
      return try withCore { () throws(HypercallError) in
        try Host.hypervisor.vcpuOperation(arguments, from: caller)
      }
    }
  }

  private mutating func carryOut(
    _ action: VCPUAction, on target: GuestProcessorPointer
  ) throws(HypercallError) -> HypercallResult {
    switch action {
    case .answer(let value): return .value(value)
    case .initialise(let address): return try target.pointee.initialise(from: address)
    case .start: Switch.wake(target)
    case .stop:
      Switch.stop(target)
      withCore { LoadedTables.forget(target) }
    case .powerOff: DomainEnd.begin(guest, reason: UInt32(SHUTDOWN_poweroff))
    case .tellRunState(let address):
      Lock.scheduler.take()
      let info = Runstate.info(of: target.pointee.slot, now: Host.clock.now)
      Lock.scheduler.release()
      let isTold =
        is32Bit ? Runstate.storeCompat(info, to: address) : GuestMemory.store(info, to: address)
      guard isTold else { throw .fault }
    case .keepRunState(let address):
      target.pointee.runstateArea = address?.value ?? 0
      if target.pointee.core == core { publishRunstate(now: Host.clock.now) }
    case .keepTime(let address):
      target.pointee.timeArea = address?.value ?? 0
      if target.pointee.core == core { publishTime() }
    case .setPeriodicTimer(let period): target.pointee.setPeriod(period ?? 0)
    case .setSingleShotTimer(let deadline): setSingleShot(at: deadline)
    case .sendNMI: Switch.sendNMI(target)
    }
    return .value(0)
  }

  /// Finds its vcpu_info at its new place, and tells the time there.
  mutating func findInfo() {
    CoreLock.takeAll()
    if let info = Host.hypervisor.info(of: core, in: domain) {
      shared = UnsafeMutableRawPointer(info).assumingMemoryBound(to: vcpu_info.self)
      Host.clock.describe(&shared.pointee.time)
    }
    CoreLock.releaseAll()
  }

  /// Writes the time parameters where the guest has asked for a copy.
  ///
  /// They never change, so that once is enough: the counter is constant.
  func publishTime() {
    guard timeArea != 0 else { return }
    _ = GuestMemory.store(shared.pointee.time, to: GuestVirtualAddress(timeArea))
  }
}
