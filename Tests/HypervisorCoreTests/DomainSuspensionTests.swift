import CRootstock
import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing
import XenABI

@Suite struct DomainSuspensionTests {
  private let bench = Bench(frameCount: 4096)
  private let owner: Caller
  private let guest: Caller
  private let state: StartState

  init() throws {
    owner = bench.makeDomain(0, frames: 2, privileged: true).caller
    bench.share(with: owner)
    guest = bench.makeDomain(3, frames: 0).caller
    guest.domain.pointee.pageLimit = 1024
    let image = ImageMaker.working().bytes()
    state = try image.withUnsafeBytes { [bench, guest] bytes in
      let base = try #require(bytes.baseAddress)
      let request = StartRequest(
        kernel: ImageBytes(base, count: UInt64(bytes.count)), pageCount: 1024, isInitial: false)
      return try bench.hypervisor.build(request, in: guest.domain, servedBy: .control)
    }
    guest.vcpu.pointee.isUp = true
  }

  private func control(_ operation: Int32, value: Int64 = 0, from caller: Caller? = nil) -> Int64 {
    bench.machine.poke([3, UInt64(bitPattern: value), 0, 0, 0, 0, 0], at: 0)
    do throws(HypercallError) {
      return try bench.hypervisor.control(
        operation, FakeMachine.windowBase, from: caller ?? owner)
    } catch {
      return -error.rawValue
    }
  }

  private func resume(asNew isNew: Bool, _ frame: MachineFrame = MachineFrame(0)) -> Int64 {
    do throws(HypercallError) {
      try bench.hypervisor.resume(guest.domain, asNew: isNew, startInfo: frame)
      return 0
    } catch {
      return -error.rawValue
    }
  }

  /// The frame of start_info: `xen-3.0-` is its beginning.
  private func startInfo() throws -> MachineFrame {
    for number in 1..<UInt64(4095) {
      let frame = MachineFrame(number)
      guard bench.hypervisor.frames[frame].pointee.owner == guest.domain.pointee.id else {
        continue
      }
      if bench.machine.words(of: frame)[0] == 0x2d30_2e33_2d6e_6578 { return frame }
    }
    throw Missing()
  }

  private struct Missing: Error {}

  private func suspendKept() {
    #expect(control(ROOTSTOCK_KEEP_SUSPENDED) == 0)
    #expect(bench.hypervisor.suspend(guest))
  }

  @Test func withoutTheWish_suspensionIsTheEnd() {
    #expect(!bench.hypervisor.suspend(guest))
    #expect(!guest.domain.pointee.isPaused)
    #expect(resume(asNew: false) == -22)
  }

  @Test func suspendedDomain_isToldAndCannotBeStarted() {
    suspendKept()
    #expect(guest.domain.pointee.isPaused)
    #expect(bench.machine.stopped.contains(guest.vcpu))
    #expect(control(ROOTSTOCK_NEXT_DOMAIN) == 0)
    #expect(bench.machine.peek(0) == 3 | UInt64(ROOTSTOCK_DOMAIN_IS_SUSPENDED) << 16)
    #expect(bench.machine.peek(48) == guest.domain.pointee.pageCount)
    #expect(control(ROOTSTOCK_START_DOMAIN) == -22)
    // Another vcpu that calls at the same time changes nothing.
    let second = Caller(domain: guest.domain, vcpu: guest.domain.pointee.vcpus[1])
    #expect(bench.hypervisor.suspend(second))
    #expect(guest.domain.pointee.suspender == guest.vcpu.pointee.id)
  }

  @Test func cancelledSuspension_changesNothing() throws {
    suspendKept()
    let ports = guest.domain.pointee.openPortCount
    let wiring = guest.domain.pointee.wiring
    #expect(resume(asNew: false) == 0)
    #expect(guest.domain.pointee.suspender == nil)
    #expect(guest.domain.pointee.isPaused, "it waits to be started")
    #expect(guest.domain.pointee.openPortCount == ports)
    #expect(guest.domain.pointee.wiring == wiring)
    #expect(control(ROOTSTOCK_START_DOMAIN) == 0)
    #expect(!guest.domain.pointee.isPaused)
    #expect(bench.machine.woken.contains(guest.vcpu))
    #expect(resume(asNew: false) == -22, "it is not suspended")
    try bench.recount()
  }

  @Test func renewedDomain_findsWhatARestoredOneFinds() throws {
    let frame = try startInfo()
    // A port of its own, a grant, a place for vcpu_info.
    bench.share(with: owner)
    #expect(
      bench.eventOperation(
        UInt64(EVTCHNOP_alloc_unbound), [UInt32(DOMID_SELF), 0], from: guest) == 0)
    let info = try #require(bench.hypervisor.allocate(for: guest.domain))
    try bench.hypervisor.registerInfo(of: guest.vcpu, in: info, offset: 64, domain: guest.domain)
    let table = bench.machine.words(
      of: MachineFrame(UInt64(try #require(guest.domain.pointee.grants).pointee.frames[0])))
    table[20] = UInt64(GTF_permit_access)
    suspendKept()
    #expect(resume(asNew: true, frame) == 0)
    #expect(guest.domain.pointee.openPortCount == 2)
    #expect(guest.vcpu.pointee.infoFrame == nil)
    #expect(table[20] == 0)
    #expect(table[Int(GNTTAB_RESERVED_XENSTORE)] >> 32 == state.storePage?.number)
    #expect(table[Int(GNTTAB_RESERVED_CONSOLE)] >> 32 == state.consolePage?.number)
    let shared = try #require(guest.domain.pointee.sharedInfo)
    let words = bench.machine.words(of: shared)
    #expect(words[0] & 0xffff == 0x100, "no upcall is pending, and they are masked")
    for index in 0..<64 {
      #expect(words[Xen.Offset.shared_info.evtchn_pending / 8 + index] == 0)
      #expect(words[Xen.Offset.shared_info.evtchn_mask / 8 + index] == ~0)
    }
    let start = bench.machine.words(of: frame)
    #expect(start[Xen.Offset.start_info.shared_info / 8] == shared.address.value)
    #expect(start[Xen.Offset.start_info.store_mfn / 8] == state.storePage?.number)
    let wiring = guest.domain.pointee.wiring
    #expect(
      start[Xen.Offset.start_info.store_evtchn / 8] & 0xffff_ffff
        == UInt64(wiring.storePort.rawValue))
    for port in [wiring.storePort, wiring.consolePort] {
      #expect(
        bench.eventOperation(
          UInt64(EVTCHNOP_bind_interdomain), [3, port.rawValue, 0], from: owner) == 0)
    }
    try bench.recount()
  }

  @Test func renewal_refusesStartInfoThatIsNoPageOfTheDomains() throws {
    suspendKept()
    let other = bench.makeDomain(2, frames: 1)
    let table = try #require(guest.vcpu.pointee.kernelTable)
    for frame in [
      MachineFrame(0), MachineFrame(4095), MachineFrame(1 << 40), MachineFrame(.max),
      other.frames[0], table,
    ] {
      #expect(resume(asNew: true, frame) == -22)
      #expect(guest.domain.pointee.suspender != nil, "it can be tried again")
    }
    #expect(guest.domain.pointee.openPortCount == 2)
    try bench.recount()
  }

  @Test func renewal_waitsForGrantsInUse() throws {
    let pair = GrantBench()
    let hypervisor = pair.bench.hypervisor
    pair.grant(8, pair.own[9])
    #expect(pair.map(8, flags: GNTMAP_host_map | GNTMAP_device_map) == GNTST_okay)
    let handle = pair.handle
    for caller in [pair.granter, pair.mapper] {
      if caller.domain.pointee.sharedInfo == nil { pair.bench.share(with: caller) }
      caller.domain.pointee.isKeptSuspended = true
      #expect(hypervisor.suspend(caller))
      let refused = #expect(throws: HypercallError.self) {
        try hypervisor.resume(caller.domain, asNew: true, startInfo: pair.own[5])
      }
      #expect(refused == .busy)
      #expect(caller.domain.pointee.suspender != nil)
    }
    #expect(pair.unmap(handle, device: pair.own[9].number << 12) == GNTST_okay)
    try hypervisor.resume(pair.granter.domain, asNew: true, startInfo: pair.own[5])
    #expect(pair.flags(of: 8) == 0, "its table is empty")
    try pair.bench.recount()
  }

  @Test func suspendedDomain_diesLikeAnyOther() throws {
    suspendKept()
    bench.hypervisor.beginDeath(of: guest.domain)
    try bench.hypervisor.continueDeath(of: guest.domain)
    #expect(bench.hypervisor.finishDeath(of: guest.domain))
    try bench.recount()
  }

  @Test func limit_isSetAndChecked() {
    #expect(control(ROOTSTOCK_LIMIT_DOMAIN, value: 77) == 0)
    #expect(guest.domain.pointee.pageLimit == 77)
    #expect(control(ROOTSTOCK_LIMIT_DOMAIN, value: -1) == -22)
    #expect(guest.domain.pointee.pageLimit == 77)
  }

  @Test func withoutPrivilege_nothingIsDone() {
    for operation in [ROOTSTOCK_KEEP_SUSPENDED, ROOTSTOCK_LIMIT_DOMAIN] {
      #expect(control(operation, value: 1, from: guest) == -1)
    }
    #expect(guest.domain.pointee.pageLimit == 1024)
    #expect(!bench.hypervisor.suspend(guest))
  }
}
