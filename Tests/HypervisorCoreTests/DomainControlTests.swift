import CRootstock
import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct DomainControlTests {
  private static let notPermitted: Int64 = -1
  private static let noDomain: Int64 = -3
  private static let fault: Int64 = -14
  private static let invalid: Int64 = -22
  private static let noSuchCall: Int64 = -38

  private let bench = Bench(frameCount: 4096)
  private let owner: Caller

  init() {
    owner = bench.makeDomain(0, frames: 2, privileged: true).caller
    bench.share(with: owner)
  }

  private func control(
    _ operation: Int32, _ domain: UInt16, from caller: Caller,
    at place: GuestVirtualAddress = FakeMachine.windowBase
  ) -> Int64 {
    bench.machine.poke([UInt64](repeating: UInt64(domain) | 0xeeee_0000, count: 6), at: 0)
    do throws(HypercallError) {
      return try bench.hypervisor.control(operation, place, from: caller)
    } catch {
      return -error.rawValue
    }
  }

  private func next(_ domain: UInt16) -> Int64 {
    control(ROOTSTOCK_NEXT_DOMAIN, domain, from: owner)
  }

  /// A domain that was built to be served by domain 0.
  private func build(_ number: UInt16) throws -> (Caller, StartState) {
    let caller = bench.makeDomain(number, frames: 0).caller
    caller.domain.pointee.pageLimit = 1024
    let image = ImageMaker.working().bytes()
    let state = try image.withUnsafeBytes { bytes in
      let base = try #require(bytes.baseAddress)
      let request = StartRequest(
        kernel: ImageBytes(base, count: UInt64(bytes.count)), pageCount: 1024, isInitial: false)
      return try bench.hypervisor.build(request, in: caller.domain, servedBy: .control)
    }
    return (caller, state)
  }

  @Test func building_endsWhileOtherWorkWaits() throws {
    bench.machine.isAlwaysPreempted = true
    _ = try build(3)
    try bench.recount()
  }

  @Test func domainThatIsNotBuiltToItsEnd_leavesNothing() throws {
    let before = bench.hypervisor.state.pointee.freeCount
    let caller = bench.makeDomain(4, frames: 0).caller
    // The last allocations find nothing: ports, grants and part of the memory are there.
    for limit in [1, 8, 24, 60] as [UInt64] {
      caller.domain.pointee.pageLimit = limit
      let image = ImageMaker.working().bytes()
      image.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        let request = StartRequest(
          kernel: ImageBytes(base, count: UInt64(bytes.count)), pageCount: 1024, isInitial: false)
        #expect(throws: ImageError.self) {
          try bench.hypervisor.build(request, in: caller.domain, servedBy: .control)
        }
      }
      try bench.recount()
    }
    bench.hypervisor.beginDeath(of: caller.domain)
    try bench.hypervisor.continueDeath(of: caller.domain)
    #expect(bench.hypervisor.finishDeath(of: caller.domain))
    #expect(bench.hypervisor.state.pointee.freeCount >= before)
    try bench.recount()
  }

  @Test func servedDomain_hasPortsAndGrantsForItsServer() throws {
    let (guest, state) = try build(3)
    #expect(next(0) == 0)
    #expect(bench.machine.peek(0) == 0)
    #expect(next(1) == 0)
    // Number 3, runs; two vcpus, ports 1 and 2; frames of memory; both pages.
    #expect(bench.machine.peek(0) == 3)
    #expect(bench.machine.peek(8) == 2 | 1 << 32)
    #expect(bench.machine.peek(16) == 2)
    #expect(bench.machine.peek(24) == 1024)
    #expect(bench.machine.peek(32) == state.storePage?.number)
    #expect(bench.machine.peek(40) == state.consolePage?.number)
    #expect(next(4) == Self.noDomain)
    // Domain 0 binds to both, and to no third.
    for port: UInt32 in [1, 2] {
      let words: [UInt32] = [3, port, 0]
      #expect(
        bench.eventOperation(UInt64(EVTCHNOP_bind_interdomain), words, from: owner) == 0)
    }
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_interdomain), [3, 3, 0], from: owner) == -22)
    let table = bench.machine.words(
      of: MachineFrame(UInt64(try #require(guest.domain.pointee.grants).pointee.frames[0])))
    #expect(table[Int(GNTTAB_RESERVED_CONSOLE)] >> 32 == state.consolePage?.number)
    #expect(table[Int(GNTTAB_RESERVED_XENSTORE)] >> 32 == state.storePage?.number)
    #expect(table[0] & 0xffff_ffff == UInt64(GTF_permit_access))
    try bench.recount()
  }

  @Test func list_isInOrderOfNumbers_whateverTheSlots() throws {
    // Eight slots: 9 has the one behind that of 0, before that of 2.
    for number: UInt16 in [2, 9] { _ = bench.makeDomain(number, frames: 1) }
    var found: [UInt64] = []
    var first: UInt16 = 0
    while next(first) == 0 {
      found.append(bench.machine.peek(0) & 0xffff)
      first = UInt16(bench.machine.peek(0) & 0xffff) + 1
    }
    #expect(found == [0, 2, 9])
  }

  @Test func end_isTold_andRaisesTheInterrupt() throws {
    let guest = bench.makeDomain(2, frames: 1).caller
    #expect(
      bench.eventOperation(
        UInt64(EVTCHNOP_bind_virq), [UInt32(VIRQ_DOM_EXC), 0, 0], from: owner) == 0)
    let port = bench.machine.peek(half: 8)
    guest.domain.pointee.endReason = UInt32(SHUTDOWN_crash)
    bench.hypervisor.noteEnd(to: .control)
    let page = try #require(owner.domain.pointee.sharedInfo)
    #expect(bench.machine.words(of: page)[256] >> UInt64(port) & 1 == 1)
    #expect(next(1) == 0)
    #expect(bench.machine.peek(0) == 2 | 1 << 16 | UInt64(SHUTDOWN_crash) << 32)
    #expect(control(ROOTSTOCK_START_DOMAIN, 2, from: owner) == Self.noDomain)
  }

  @Test func pausedDomain_isStoppedAndStarted() throws {
    let guest = bench.makeDomain(2, frames: 1).caller
    let second = guest.domain.pointee.vcpus[1]
    second.pointee.isUp = false
    #expect(control(ROOTSTOCK_START_DOMAIN, 2, from: owner) == 0)
    #expect(bench.machine.woken.isEmpty, "it runs")
    #expect(control(ROOTSTOCK_PAUSE_DOMAIN, 2, from: owner) == 0)
    #expect(guest.domain.pointee.isPaused)
    #expect(bench.machine.stopped == [guest.vcpu, second])
    #expect(control(ROOTSTOCK_START_DOMAIN, 2, from: owner) == 0)
    #expect(!guest.domain.pointee.isPaused)
    #expect(bench.machine.woken == [guest.vcpu], "one that is down stays down")
    #expect(control(ROOTSTOCK_PAUSE_DOMAIN, 0, from: owner) == Self.invalid, "oneself")
    #expect(control(ROOTSTOCK_PAUSE_DOMAIN, 5, from: owner) == Self.noDomain)
    guest.domain.pointee.endReason = UInt32(SHUTDOWN_poweroff)
    #expect(control(ROOTSTOCK_PAUSE_DOMAIN, 2, from: owner) == Self.noDomain)
    #expect(control(ROOTSTOCK_START_DOMAIN, 5, from: owner) == Self.noDomain)
    #expect(control(ROOTSTOCK_START_DOMAIN, 0x7ff0, from: owner) == Self.noDomain)
  }

  @Test func withoutPrivilege_nothingIsTold() throws {
    let guest = bench.makeDomain(2, frames: 1).caller
    for operation in [ROOTSTOCK_NEXT_DOMAIN, ROOTSTOCK_START_DOMAIN, ROOTSTOCK_PAUSE_DOMAIN] {
      #expect(control(operation, 0, from: guest) == Self.notPermitted)
      #expect(bench.machine.peek(0) == 0xeeee_0000, "nothing is written")
    }
    #expect(control(0, 0, from: guest) == Self.noSuchCall)
  }

  @Test(arguments: [GuestVirtualAddress(0xffff_8300_0000_0000), GuestVirtualAddress(0x10)])
  func badAddress_isAFault(place: GuestVirtualAddress) {
    #expect(control(ROOTSTOCK_NEXT_DOMAIN, 0, from: owner, at: place) == Self.fault)
    #expect(control(3, 0, from: owner, at: place) == Self.noSuchCall)
  }
}
