// The machine's part of what domain 0 does to suspended domains: ROOTSTOCK_RESUME_DOMAIN and
// ROOTSTOCK_RECORD_DOMAIN, and ROOTSTOCK_SHIFT_CLOCK, whose time of day a domain that goes on keeps.

import CMachine
import CRootstock
import CXenABI
import HypervisorCore

extension GuestProcessor {
  /// ROOTSTOCK_RESUME_DOMAIN; the core lock is held.
  func resumeDomain(at address: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    guard domain.pointee.isPrivileged else { throw .notPermitted }
    let (other, value) = try Host.hypervisor.change(at: address)
    let isNew = value == Int64(ROOTSTOCK_AS_NEW)
    guard isNew || value == Int64(ROOTSTOCK_AS_CANCELLED),
      let suspender = other.pointee.suspender
    else { throw .invalid }
    // It is paused, so that none of its vcpus begins to run again.
    guard !Switch.runs(other) else { throw .tryAgain }
    let vcpu = other.pointee.vcpus[Int(suspender.rawValue)].pointee.guest
    try Host.hypervisor.resume(
      other, asNew: isNew, startInfo: vcpu.pointee.suspensionArgument)
    if isNew { Self.renew(other) }
    vcpu.pointee.saved.rax = isNew ? 0 : 1
    return 0
  }

  /// ROOTSTOCK_RECORD_DOMAIN; the core lock is held.
  func recordDomain(at address: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    guard domain.pointee.isPrivileged else { throw .notPermitted }
    let other = try Host.hypervisor.named(at: address)
    guard let suspender = other.pointee.suspender else { throw .invalid }
    guard !Switch.runs(other) else { throw .tryAgain }
    for index in 0..<other.pointee.vcpuCount {
      let vcpu = other.pointee.vcpus[index]
      guard !vcpu.pointee.isInitialised || vcpu.pointee.guest.pointee.isKernelMode else {
        throw .invalid
      }
    }
    let frame = other.pointee.vcpus[Int(suspender.rawValue)].pointee.guest.pointee
      .suspensionArgument
    let record = try Host.hypervisor.record(other, startInfo: frame)
    for index in 0..<other.pointee.vcpuCount {
      other.pointee.vcpus[index].pointee.guest.pointee.write(to: record, vcpu: index)
    }
    log(.info).text("saved: domain=").decimal(other.pointee.id.rawValue).text(" record=")
      .hex(record.frame.address.value).end()
    return 0
  }

  /// What the call that has suspended the domain names as the place of start_info: its third argument,
  /// which has the same register in both widths.
  private var suspensionArgument: MachineFrame {
    MachineFrame(is32Bit ? saved.rdx & 0xffff_ffff : saved.rdx)
  }

  /// Takes timers and registered areas from the vcpus, and tells them the time where they look for it
  /// from now on.
  private static func renew(_ domain: DomainPointer) {
    let guest = domain.pointee.guest
    Lock.scheduler.take()
    guest.pointee.watchdogs = InlineArray(repeating: 0)
    Timers.arm(guest)
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index].pointee.guest
      vcpu.pointee.timers = GuestTimers(queue: vcpu.pointee.timers.queue)
      Timers.arm(vcpu)
    }
    Lock.scheduler.release()
    for index in 0..<domain.pointee.vcpuCount {
      let core = domain.pointee.vcpus[index]
      let vcpu = core.pointee.guest
      vcpu.pointee.runstateArea = 0
      vcpu.pointee.isRunstateStale = false
      vcpu.pointee.timeArea = 0
      if let info = Host.hypervisor.info(of: core, in: domain) {
        vcpu.pointee.shared = UnsafeMutableRawPointer(info).assumingMemoryBound(to: vcpu_info.self)
      } else {
        vcpu.pointee.shared = GuestStorage.ownInfo(of: core)
        vcpu.pointee.shared.pointee = vcpu_info()
        vcpu.pointee.shared.pointee.evtchn_upcall_mask = 1
      }
      Host.clock.describe(&vcpu.pointee.shared.pointee.time)
    }
    if let page = domain.pointee.sharedInfo {
      WallClock.describe(page, of: guest.pointee.domain, ahead: guest.pointee.clockShift)
    }
  }

  /// ROOTSTOCK_SHIFT_CLOCK; the core lock is held.
  func shiftClock(at address: GuestVirtualAddress) throws(HypercallError) -> Int64 {
    guard domain.pointee.isPrivileged else { throw .notPermitted }
    let (other, seconds) = try Host.hypervisor.change(at: address)
    guard let page = other.pointee.sharedInfo, WallClock.describe(page, of: other, ahead: seconds)
    else {
      throw .invalid
    }
    other.pointee.guest.pointee.clockShift = seconds
    return 0
  }
}
