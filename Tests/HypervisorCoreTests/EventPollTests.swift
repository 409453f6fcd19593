import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct EventPollTests {
  private let bench = Bench()
  private let caller: Caller

  init() {
    caller = bench.makeDomain(1, frames: 2).caller
    bench.share(with: caller)
    // Everything masked, as a kernel begins.
    for word in 320..<384 { words[word] = ~0 }
    _ = bench.eventOperation(7, [0], from: caller)
    _ = bench.eventOperation(7, [0], from: caller)
  }

  private var words: UnsafeMutablePointer<UInt64> {
    bench.machine.words(of: caller.domain.pointee.sharedInfo ?? MachineFrame(0))
  }

  private func poll(
    _ ports: [UInt32], count: UInt32? = nil, timeout: UInt64 = 0, at array: UInt64? = nil
  ) throws(HypercallError) -> PollDecision {
    let base = FakeMachine.windowBase.value
    for (index, port) in ports.enumerated() { bench.machine.poke(half: port, at: 64 + index * 4) }
    bench.machine.poke([array ?? base + 64, UInt64(count ?? UInt32(ports.count)), timeout], at: 0)
    return try bench.hypervisor.beginPoll(FakeMachine.windowBase, from: caller)
  }

  @Test func poll_sleeps_andAMaskedEventWakes() throws {
    #expect(try poll([1], timeout: 50) == .sleep(until: 50))
    try bench.recount()
    #expect(bench.eventOperation(4, [2], from: caller) == 0)
    #expect(bench.machine.woken.isEmpty, "another port")
    #expect(bench.eventOperation(4, [1], from: caller) == 0)
    #expect(bench.machine.woken == [caller.vcpu])
    bench.hypervisor.endPoll(of: caller.vcpu, in: caller.domain)
    bench.hypervisor.endPoll(of: caller.vcpu, in: caller.domain)
    try bench.recount()
    #expect(try poll([1]) == .ready)
    #expect(try poll([2, 1]) == .ready)
  }

  @Test func poll_ofSeveral_isWokenByAny() throws {
    #expect(try poll([1, 2]) == .sleep(until: nil))
    #expect(bench.eventOperation(4, [2], from: caller) == 0)
    #expect(bench.machine.woken == [caller.vcpu])
  }

  @Test func poll_withNothingToWaitFor_isReady() throws {
    bench.machine.now = 100
    #expect(try poll([1], timeout: 100) == .ready)
    #expect(try poll([], timeout: 100) == .ready)
    #expect(try poll([], timeout: 101) == .sleep(until: 101))
    words[0] = 1
    #expect(try poll([1]) == .ready, "an upcall is due")
    words[0] = 0x101
    #expect(try poll([1]) == .sleep(until: nil), "it is masked")
  }

  @Test func poll_badArguments_areRefused() throws {
    #expect(throws: HypercallError.invalid) { try poll([1], count: 129) }
    #expect(throws: HypercallError.invalid) { try poll([1], count: ~0) }
    #expect(throws: HypercallError.fault) { try poll([1], at: 0x1000) }
    #expect(throws: HypercallError.fault) { try poll([1], at: 0xffff_8000_0000_0000) }
    #expect(throws: HypercallError.fault) { try poll([1, 2], at: ~0 - 3) }
    #expect(throws: HypercallError.invalid) { try poll([0xffff_ffff]) }
    #expect(throws: HypercallError.invalid) { try poll([0]) }
    #expect(throws: HypercallError.fault) {
      try bench.hypervisor.beginPoll(GuestVirtualAddress(8), from: caller)
    }
    try bench.recount()
  }

  @Test func death_endsPolls() throws {
    #expect(try poll([1]) == .sleep(until: nil))
    bench.hypervisor.beginDeath(of: caller.domain)
    try bench.recount()
  }
}
