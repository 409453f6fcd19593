import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct PortTableTests {
  private let bench = Bench()
  private let caller: Caller

  init() {
    caller = bench.makeDomain(1, frames: 2).caller
    bench.share(with: caller)
  }

  private func bind() -> Int64 {
    let result = bench.eventOperation(7, [0], from: caller) ?? -1
    return result == 0 ? Int64(bench.machine.peek(half: 4)) : result
  }

  @Test func ports_comeFromTheLowestFreeNumber() throws {
    caller.domain.pointee.portLimit = 1024
    for number in 1..<Int64(1024) { #expect(bind() == number) }
    #expect(bind() == -28)
    for number: UInt32 in [1000, 3, 700, 256] {
      #expect(bench.eventOperation(3, [number], from: caller) == 0)
    }
    try bench.recount()
    for number: Int64 in [3, 256, 700, 1000, -28] { #expect(bind() == number) }
    try bench.recount()
  }

  @Test func limit_isTheFormsOrTheDomains() {
    caller.domain.pointee.portLimit = nil
    var last: Int64 = 0
    while case let number = bind(), number > 0 { last = number }
    #expect(last == 1023)
    caller.domain.pointee.isPrivileged = true
    while case let number = bind(), number > 0 { last = number }
    #expect(last == 4095)
  }

  @Test func memory_isGivenBackAtDeath() throws {
    let free = bench.hypervisor.state.pointee.freeCount
    caller.domain.pointee.portLimit = 600
    for _ in 1..<600 { #expect(bind() > 0) }
    #expect(bench.hypervisor.state.pointee.freeCount == free - 4)
    bench.hypervisor.beginDeath(of: caller.domain)
    // The shared page comes back as well.
    #expect(bench.hypervisor.state.pointee.freeCount == free + 1)
    try bench.recount()
  }

  @Test func withoutMemory_thereIsNoPort() throws {
    let other = bench.makeDomain(2, frames: Int(bench.hypervisor.state.pointee.freeCount)).caller
    #expect(bind() == Answer.noMemory)
    bench.hypervisor.beginDeath(of: other.domain)
    try bench.hypervisor.continueDeath(of: other.domain)
    #expect(bind() == 1)
    try bench.recount()
  }

  @Test func reset_isInterrupted_andGoesOn() throws {
    caller.domain.pointee.portLimit = 1024
    for _ in 1..<500 { #expect(bind() > 0) }
    bench.machine.poke(half: 0x7ff0, at: 0)
    var arguments = HypercallArguments(10, FakeMachine.windowBase.value)
    var turns = 0
    while true {
      bench.machine.preemptAfter = 50
      let result = bench.hypervisor.eventChannelOperation(&arguments, from: caller)
      turns += 1
      try bench.recount()
      if case .value(let value) = result {
        #expect(value == 0)
        break
      }
      #expect(arguments[0] == 14)
      bench.machine.preemptAfter = nil
      #expect(bench.eventOperation(10, [0x7ff0], from: caller) == Answer.busy, "one at a time")
      bench.machine.poke(half: 0x7ff0, at: 0)
    }
    #expect(turns == 10)
    #expect(bind() == 1)
  }

  @Test func reset_whilePortsAreOpened_triesAgain() throws {
    for _ in 1..<10 { #expect(bind() > 0) }
    bench.machine.poke(half: 0x7ff0, at: 0)
    var arguments = HypercallArguments(10, FakeMachine.windowBase.value)
    bench.machine.preemptAfter = 4
    #expect(bench.hypervisor.eventChannelOperation(&arguments, from: caller) == .again)
    bench.machine.preemptAfter = nil
    #expect(bind() == 1)
    #expect(bench.eventOperation(14, [0x7ff0], from: caller) == -11)
    try bench.recount()
    #expect(bench.eventOperation(10, [0x7ff0], from: caller) == 0)
    try bench.recount()
  }
}
