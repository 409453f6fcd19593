// From boot modules to domains that can run: each gets its frames, its vcpus, and its place in the
// scheduler. No vcpu runs before all domains of the command line are built; domain 0 may have others
// built later.

import CMachine
import CRootstock
import CXenABI
import HypervisorCore

/// Why a domain cannot be started.
struct StartFailure: Error {
  /// In words, behind the domain's name.
  var text: StaticString
  /// As domain 0 is told.
  var error: HypercallError
}

/// The making of domains.
enum DomainStart {
  /// Builds all of the command line.
  static func startAll() {
    Reaper.start()
    var next: UInt16 = 0
    var number = 0
    while let plan = Host.boot.commandLine.plan(number) ?? (number == 0 ? simplePlan() : nil) {
      for _ in 0..<max(plan.count, 1) {
        guard start(plan, DomainID(next)) else {
          if next == 0 { Power.off(status: 1) }
          return
        }
        next += 1
      }
      number += 1
    }
  }

  private static func simplePlan() -> DomainPlan {
    var plan = DomainPlan()
    if Host.boot.moduleCount > 1 { plan.ramdisk = 1 }
    plan.memory = Host.boot.commandLine.number(of: "dom0_mem=") ?? 0
    return plan
  }

  /// Builds one at the start; says why where that fails.
  private static func start(_ plan: DomainPlan, _ id: DomainID) -> Bool {
    do throws(StartFailure) {
      try withCore { () throws(StartFailure) in
        try build(
          plan, id,
          commandLine: plan.arguments.flatMap { module($0) } ?? Host.boot.commandLine.guestPart)
      }
      return true
    } catch {
      log(.error).text("the guest cannot be started: domain=").decimal(id.rawValue).text(" ")
        .text(error.text).end()
      return false
    }
  }

  /// Builds one, which runs once it is woken.
  ///
  /// The core lock is held. What was built before a failure goes the way of a domain that has ended.
  static func build(
    _ plan: DomainPlan, _ id: DomainID, commandLine: ImageBytes?
  ) throws(StartFailure) {
    let hypervisor = Host.hypervisor
    guard let kernel = module(plan.kernel) else {
      throw StartFailure(text: "its kernel is no boot module", error: .noEntry)
    }
    guard plan.vcpus >= 1, plan.vcpus <= GuestDomain.vcpuLimit else {
      throw StartFailure(text: "it has no vcpu, or more than 128", error: .invalid)
    }
    guard let domain = GuestStorage.makeDomain(id: id, vcpuCount: plan.vcpus, hypervisor) else {
      throw StartFailure(text: "there is too little memory", error: .noMemory)
    }
    domain.pointee.isPrivileged = id == .control
    domain.pointee.isPaused = plan.isPaused
    domain.pointee.guest.pointee.isExempt = plan.isExempt
    for index in 0..<plan.vcpus {
      guard Switch.add(domain.pointee.vcpus[index].pointee.guest, weight: plan.weight) else {
        discard(domain, placedCount: index)
        throw StartFailure(text: "there are more vcpus than the scheduler has", error: .noSpace)
      }
    }
    Reaper.noteStart()
    let half = Host.boot.endOfMemory >> 21
    domain.pointee.pageLimit = (plan.memory != 0 ? plan.memory : min(half, 256)) << 8
    var request = StartRequest(
      kernel: kernel, pageCount: domain.pointee.pageLimit, isInitial: id == .control)
    request.ramdisk = plan.ramdisk.flatMap { module($0) }
    request.commandLine = commandLine
    do throws(ImageError) {
      if SavedImage.isSaved(kernel) {
        guard !request.isInitial else { throw .badSavedDomain }
        try restore(kernel, domain)
        return
      }
      let state =
        request.isInitial
        ? try hypervisor.build(request, in: domain)
        : try hypervisor.build(request, in: domain, servedBy: .control)
      prepare(domain, state)
      log(.info).text("start: domain=").decimal(id.rawValue).text(" memory=")
        .decimal(domain.pointee.pageLimit >> 8).text("MiB entry=").hex(state.entry.value)
        .text(" start-info=").hex(state.startInfo.value).end()
    } catch {
      DomainEnd.abandon(domain)
      throw StartFailure(
        text: error.text, error: error == .tooLittleMemory ? .noMemory : .notExecutable)
    }
  }

  /// Takes back a domain that has nothing yet but vcpus, some of them with a place in the scheduler.
  private static func discard(_ domain: DomainPointer, placedCount: Int) {
    let count = domain.pointee.vcpuCount
    guard let state = domain.pointee.context else { return }
    for index in 0..<placedCount { Switch.remove(domain.pointee.vcpus[index].pointee.guest) }
    Host.hypervisor.beginDeath(of: domain)
    _ = Host.hypervisor.finishDeath(of: domain)
    GuestStorage.free(state, vcpuCount: count, Host.hypervisor)
  }

  /// A boot module, which stays where it is as long as the hypervisor runs.
  static func module(_ number: Int) -> ImageBytes? {
    guard number >= 0, number < Host.boot.moduleCount else { return nil }
    let module = Host.boot.modules[number]
    return ImageBytes(
      DirectMap.pointer(to: MachineAddress(module.start)), count: module.end - module.start)
  }

  /// Builds one that was saved.
  private static func restore(
    _ kernel: ImageBytes, _ domain: DomainPointer
  ) throws(ImageError) {
    let image = try SavedImage(kernel)
    setWidth(of: domain, is32Bit: image.is32Bit)
    try Host.hypervisor.restore(image, in: domain) { number, start in
      let vcpu = domain.pointee.vcpus[number].pointee.guest
      let saved = image.vcpu(number)
      vcpu.pointee.take(start)
      vcpu.pointee.take(saved)
      vcpu.pointee.take(debugRegisters: start.debugRegisters)
      vcpu.pointee.readTraps(from: saved.context)
      // What its call answers.
      if number == Int(image.header.suspender) { vcpu.pointee.saved.rax = 0 }
    }
    domain.pointee.assists = image.header.assists & GuestProcessor.knownAssists
    domain.pointee.pageLimit = image.header.page_limit
    share(domain)
    log(.info).text("restored: domain=").decimal(domain.pointee.id.rawValue).text(" memory=")
      .decimal(domain.pointee.pageLimit >> 8).text("MiB").end()
    for index in 0..<domain.pointee.vcpuCount where domain.pointee.vcpus[index].pointee.isUp {
      Switch.wake(domain.pointee.vcpus[index].pointee.guest)
    }
  }

  /// Tells all vcpus, those that are initialised later as well, what their guest is.
  private static func setWidth(of domain: DomainPointer, is32Bit: Bool) {
    for index in 0..<domain.pointee.vcpuCount {
      domain.pointee.vcpus[index].pointee.guest.pointee.is32Bit = is32Bit
    }
  }

  /// Fills in what vcpus share with their guest.
  private static func share(_ domain: DomainPointer) {
    guard let frame = domain.pointee.sharedInfo else { panic("no shared information page") }
    let infos = DirectMap.pointer(to: frame.address).assumingMemoryBound(to: vcpu_info.self)
    // Every vcpu's events are masked at the start.
    for index in 0..<Int(XEN_LEGACY_MAX_VCPUS) { infos[index].evtchn_upcall_mask = 1 }
    WallClock.describe(frame, of: domain)
    for index in 0..<domain.pointee.vcpuCount {
      let vcpu = domain.pointee.vcpus[index].pointee.guest
      if index < Int(XEN_LEGACY_MAX_VCPUS) { vcpu.pointee.shared = infos + index }
      Host.clock.describe(&vcpu.pointee.shared.pointee.time)
    }
  }

  /// Lets the first vcpu of a new domain run.
  private static func prepare(_ domain: DomainPointer, _ state: StartState) {
    share(domain)
    setWidth(of: domain, is32Bit: domain.pointee.is32Bit)
    let vcpu = domain.pointee.vcpus[0].pointee.guest
    vcpu.pointee.saved.rip = state.entry.value
    vcpu.pointee.saved.rsi = state.startInfo.value
    vcpu.pointee.saved.rsp = state.stack.value
    vcpu.pointee.saved.rflags = Flags.interrupt | Flags.always
    vcpu.pointee.saved.cs = UInt64(XG_GUEST_CS64)
    vcpu.pointee.saved.ss = UInt64(XG_GUEST_SS)
    if domain.pointee.is32Bit { vcpu.pointee.startCompat() }
    vcpu.pointee.core.pointee.isInitialised = true
    vcpu.pointee.core.pointee.isUp = true
    Switch.wake(vcpu)
  }
}

extension CommandLine {
  /// What stands behind ` -- ` in the hypervisor's command line is the guests'.
  ///
  /// The bytes live as long as the hypervisor.
  var guestPart: ImageBytes? {
    guard var start = Host.boot.commandLine.value(of: "--") else { return nil }
    while Host.boot.commandLine[start] == 0x20 { start += 1 }
    let memory = Host.guestCommandLine
    var length = 0
    while length < 1023, Host.boot.commandLine[start + length] != 0 {
      memory[length] = Host.boot.commandLine[start + length]
      length += 1
    }
    return ImageBytes(UnsafeRawPointer(memory), count: UInt64(length))
  }
}
