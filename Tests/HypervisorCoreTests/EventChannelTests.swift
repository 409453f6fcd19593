import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct EventChannelTests {
  private static let existing: Int64 = -17
  private static let noSpace: Int64 = -28
  private static let noEntry: Int64 = -2

  /// Two domains; every port is masked as the ABI advises, and upcalls are open.
  private struct Pair {
    let bench = Bench()
    let a: Caller
    let b: Caller

    init() {
      a = bench.makeDomain(1, frames: 2).caller
      b = bench.makeDomain(2, frames: 2).caller
      bench.share(with: a)
      bench.share(with: b)
    }

    func port(_ offset: Int) -> UInt32 { bench.machine.peek(half: offset) }

    func words(_ caller: Caller) -> UnsafeMutablePointer<UInt64> {
      bench.machine.words(of: caller.domain.pointee.sharedInfo ?? MachineFrame(0))
    }

    /// A channel between both: the ports of a and of b.
    func connect() -> (UInt32, UInt32) {
      _ = bench.eventOperation(6, [0x7ff0 | 2 << 16], from: a)
      let first = port(4)
      _ = bench.eventOperation(0, [1, first], from: b)
      return (first, port(8))
    }
  }

  @Test func send_overAChannel_reachesTheOtherEnd() throws {
    let pair = Pair()
    let (first, second) = pair.connect()
    // The new end starts pending.
    #expect(pair.words(pair.b)[256] == 1 << UInt64(second))
    #expect(pair.bench.eventOperation(4, [second], from: pair.b) == 0)
    #expect(pair.words(pair.a)[256] == 1 << UInt64(first))
    #expect(pair.words(pair.a)[1] == 1, "selector")
    #expect(pair.words(pair.a)[0] & 0xff == 1, "upcall pending")
    #expect(pair.bench.hypervisor.isUpcallDue(on: pair.a.vcpu, of: pair.a.domain))
    pair.words(pair.a)[0] |= 0x100
    #expect(!pair.bench.hypervisor.isUpcallDue(on: pair.a.vcpu, of: pair.a.domain))
    #expect(pair.bench.machine.woken.contains(pair.a.vcpu))
    try pair.bench.recount()
  }

  @Test(arguments: [(UInt64(5), UInt64(24)), (6, 8), (7, 8)])
  func structureThatEndsTooEarly_isRefusedBeforeItIsLookedAt(command: UInt64, size: UInt64) {
    let pair = Pair()
    let end = FakeMachine.windowBase.value + UInt64(FakeMachine.windowSize)
    for count in 1..<size {
      var arguments = HypercallArguments(command, end - count)
      #expect(
        pair.bench.hypervisor.eventChannelOperation(&arguments, from: pair.a) == .error(.fault))
    }
  }

  @Test func send_masked_isDeliveredByUnmask() {
    let pair = Pair()
    let (first, second) = pair.connect()
    pair.words(pair.a)[320] = ~0
    #expect(pair.bench.eventOperation(4, [second], from: pair.b) == 0)
    #expect(pair.words(pair.a)[256] == 1 << UInt64(first))
    #expect(pair.words(pair.a)[0] & 0xff == 0)
    #expect(pair.bench.eventOperation(9, [first], from: pair.a) == 0)
    #expect(pair.words(pair.a)[0] & 0xff == 1)
    #expect(pair.words(pair.a)[320] == ~(1 << UInt64(first)))
  }

  @Test func send_wrongPorts_areInvalid() {
    let pair = Pair()
    #expect(pair.bench.eventOperation(4, [0], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(4, [3], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(4, [16], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(4, [~0], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(1, [0, 0], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(4, [pair.port(8)], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(6, [0x7ff0 | 2 << 16], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(4, [pair.port(4)], from: pair.a) == 0, "unbound")
  }

  @Test func bindInterdomain_onlyByTheDomainNamed() throws {
    let pair = Pair()
    let third = pair.bench.makeDomain(3, frames: 1).caller
    _ = pair.bench.eventOperation(6, [0x7ff0 | 2 << 16], from: pair.a)
    let port = pair.port(4)
    #expect(pair.bench.eventOperation(0, [1, port], from: third) == Answer.invalid)
    #expect(pair.bench.eventOperation(0, [9, port], from: pair.b) == Answer.noDomain)
    #expect(pair.bench.eventOperation(0, [1, port + 1], from: pair.b) == Answer.invalid)
    #expect(pair.bench.eventOperation(0, [1, port], from: pair.b) == 0)
    #expect(pair.bench.eventOperation(0, [1, port], from: pair.b) == Answer.invalid, "bound")
    try pair.bench.recount()
  }

  @Test func close_leavesTheOtherEndUnbound() throws {
    let pair = Pair()
    let (first, second) = pair.connect()
    #expect(pair.bench.eventOperation(3, [second], from: pair.b) == 0)
    #expect(pair.bench.eventOperation(5, [0x7ff0, first], from: pair.a) == 0)
    #expect(pair.port(8) == 1)
    #expect(pair.port(16) == 2)
    #expect(pair.bench.eventOperation(0, [1, first], from: pair.b) == 0, "bound again")
    #expect(pair.bench.eventOperation(3, [first], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(3, [first], from: pair.a) == Answer.invalid)
    try pair.bench.recount()
  }

  @Test func bindVirtualInterrupt_followsTheRules() {
    let pair = Pair()
    #expect(pair.bench.eventOperation(1, [0, 1], from: pair.a) == 0)
    let port = pair.port(8)
    #expect(pair.bench.eventOperation(1, [0, 1], from: pair.a) == Self.existing)
    #expect(pair.bench.eventOperation(1, [0, 2], from: pair.a) == Self.noEntry)
    #expect(pair.bench.eventOperation(1, [24, 0], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(1, [2, 1], from: pair.a) == Answer.invalid)
    #expect(pair.bench.eventOperation(8, [port, 0], from: pair.a) == Answer.invalid)
    let second = pair.a.domain.pointee.vcpus[1]
    pair.bench.hypervisor.raise(interrupt: 0, vcpu: second, of: pair.a.domain)
    #expect(pair.words(pair.a)[8] & 0xff == 1, "vcpu 1 is told")
    #expect(pair.words(pair.a)[0] & 0xff == 0)
    #expect(pair.bench.eventOperation(3, [port], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(1, [0, 1], from: pair.a) == 0, "free again")
  }

  @Test func bindInterprocessor_tellsItsVCPUAndCannotMove() {
    let pair = Pair()
    #expect(pair.bench.eventOperation(7, [2], from: pair.a) == Self.noEntry)
    #expect(pair.bench.eventOperation(7, [1], from: pair.a) == 0)
    let port = pair.port(4)
    #expect(pair.bench.eventOperation(4, [port], from: pair.a) == 0)
    #expect(pair.words(pair.a)[8] & 0xff == 1)
    #expect(pair.bench.eventOperation(8, [port, 0], from: pair.a) == Answer.invalid)
  }

  @Test func ports_runOut_andResetFreesAll() throws {
    let pair = Pair()
    for _ in 1..<Bench.portCount {
      #expect(pair.bench.eventOperation(6, [0x7ff0 | 2 << 16], from: pair.a) == 0)
    }
    #expect(pair.bench.eventOperation(6, [0x7ff0 | 2 << 16], from: pair.a) == Self.noSpace)
    #expect(pair.bench.eventOperation(7, [0], from: pair.a) == Self.noSpace)
    #expect(pair.bench.eventOperation(10, [2], from: pair.a) == Answer.permission)
    #expect(pair.bench.eventOperation(10, [0x7ff0], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(7, [0], from: pair.a) == 0)
    try pair.bench.recount()
  }

  @Test func others_needPrivilege() {
    let pair = Pair()
    #expect(pair.bench.eventOperation(6, [2 | 1 << 16], from: pair.a) == Answer.permission)
    #expect(pair.bench.eventOperation(5, [2, 1], from: pair.a) == Answer.permission)
    pair.a.domain.pointee.isPrivileged = true
    #expect(pair.bench.eventOperation(6, [2 | 1 << 16], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(5, [2, 1], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(15, [], from: pair.a) == Answer.noSuchCall)
  }

  @Test func death_closesEveryChannel() throws {
    let pair = Pair()
    let (first, _) = pair.connect()
    pair.bench.hypervisor.beginDeath(of: pair.b.domain)
    #expect(pair.bench.eventOperation(5, [0x7ff0, first], from: pair.a) == 0)
    #expect(pair.port(8) == 1)
    #expect(pair.bench.eventOperation(6, [0x7ff0 | 2 << 16], from: pair.a) == 0)
    #expect(pair.bench.eventOperation(0, [2, 1], from: pair.a) == Answer.noDomain)
    try pair.bench.recount()
  }

  @Test func registerInfo_movesThePageAndLosesNoEvent() throws {
    let guest = Booted()
    guest.bench.share(with: guest.caller)
    let hypervisor = guest.bench.hypervisor
    let vcpu = guest.caller.vcpu
    #expect(throws: HypercallError.invalid) {
      try hypervisor.registerInfo(
        of: vcpu, in: guest.frames[3], offset: 0, domain: guest.caller.domain)
    }
    #expect(throws: HypercallError.noDevice) {
      try hypervisor.registerInfo(
        of: vcpu, in: guest.frames[9], offset: 4040, domain: guest.caller.domain)
    }
    #expect(throws: HypercallError.noDevice) {
      try hypervisor.registerInfo(
        of: vcpu, in: guest.frames[9], offset: 0xffff_ffc0, domain: guest.caller.domain)
    }
    try hypervisor.registerInfo(
      of: vcpu, in: guest.frames[9], offset: 64, domain: guest.caller.domain)
    #expect(guest.bench.machine.words(of: guest.frames[9])[8] & 0xff == 1)
    #expect(guest.bench.machine.words(of: guest.frames[9])[9] == ~0)
    #expect(throws: HypercallError.invalid) {
      try hypervisor.registerInfo(
        of: vcpu, in: guest.frames[10], offset: 64, domain: guest.caller.domain)
    }
    #expect(guest.map(9 << 12, 0) == 0)
    #expect(guest.extended(0, 9) == Answer.invalid, "still the hypervisor's to write")
    try guest.bench.recount()
  }
}
