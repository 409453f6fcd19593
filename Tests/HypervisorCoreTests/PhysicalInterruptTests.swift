import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct PhysicalInterruptTests {
  private static let notPermitted: Int64 = -1
  private static let exists: Int64 = -17
  private static let busy: Int64 = -16
  private static let notSupported: Int64 = -95
  private static let gsi = UInt32(MAP_PIRQ_TYPE_GSI)

  private let bench = Bench()
  private let owner: Caller

  init() {
    owner = bench.makeDomain(0, frames: 2, privileged: true).caller
    bench.share(with: owner)
  }

  /// physdev_op with its argument as words of 32 bits.
  private func physical(_ command: Int32, _ words: [UInt32], from caller: Caller) -> Int64 {
    for (index, word) in words.enumerated() {
      bench.machine.poke(half: word, at: index * 4)
    }
    do throws(HypercallError) {
      return try bench.hypervisor.physicalInterruptOperation(
        command, FakeMachine.windowBase, from: caller)
    } catch {
      return -error.rawValue
    }
  }

  private func map(_ line: UInt32) -> Int64 {
    physical(PHYSDEVOP_map_pirq, [0x7ff0, Self.gsi, line, .max, 0, 0, 0, 0, 0, 0], from: owner)
  }

  private func bind(_ line: UInt32) -> UInt32 {
    #expect(map(line) == 0)
    #expect(bench.eventOperation(UInt64(EVTCHNOP_bind_pirq), [line, 0, 0], from: owner) == 0)
    return bench.machine.peek(half: 8)
  }

  private var pending: UInt64 {
    bench.machine.words(of: owner.domain.pointee.sharedInfo ?? MachineFrame(0))[256]
  }

  @Test func boundLine_isOpenAndItsInterruptIsAnEvent() throws {
    let port = bind(11)
    #expect(bench.machine.openLines == [11])
    bench.hypervisor.raise(line: 11)
    #expect(pending == 1 << UInt64(port))
    // By level: closed until the guest has dealt with it.
    #expect(bench.machine.openLines.isEmpty)
    #expect(physical(PHYSDEVOP_irq_status_query, [11, 0], from: owner) == 0)
    #expect(bench.machine.peek(half: 4) == UInt32(XENIRQSTAT_needs_eoi))
    #expect(physical(PHYSDEVOP_eoi, [11], from: owner) == 0)
    #expect(bench.machine.openLines == [11])
    try bench.recount()
  }

  @Test func lineByEdges_staysOpen() {
    #expect(physical(PHYSDEVOP_setup_gsi, [4, 0], from: owner) == 0)
    _ = bind(4)
    bench.hypervisor.raise(line: 4)
    #expect(bench.machine.openLines == [4])
    #expect(physical(PHYSDEVOP_irq_status_query, [4, 7], from: owner) == 0)
    #expect(bench.machine.peek(half: 4) == 0)
  }

  @Test func line_isBoundOnce() {
    _ = bind(5)
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_pirq), [5, 0, 0], from: owner) == Self.exists)
    #expect(physical(PHYSDEVOP_unmap_pirq, [0x7ff0, 5], from: owner) == Self.busy)
  }

  @Test func closedPort_closesItsLine() throws {
    let port = bind(9)
    #expect(bench.eventOperation(UInt64(EVTCHNOP_close), [port], from: owner) == 0)
    #expect(bench.machine.openLines.isEmpty)
    bench.hypervisor.raise(line: 9)
    #expect(pending == 0)
    #expect(physical(PHYSDEVOP_eoi, [9], from: owner) == Answer.invalid)
    #expect(physical(PHYSDEVOP_unmap_pirq, [0x7ff0, 9], from: owner) == 0)
    try bench.recount()
  }

  @Test func wrongLines_areInvalid() {
    for line in [24, 64, UInt32.max] {
      #expect(map(line) == Answer.invalid)
      #expect(physical(PHYSDEVOP_eoi, [line], from: owner) == Answer.invalid)
      #expect(physical(PHYSDEVOP_setup_gsi, [line, 1], from: owner) == Answer.invalid)
      #expect(
        bench.eventOperation(UInt64(EVTCHNOP_bind_pirq), [line, 0, 0], from: owner)
          == Answer.invalid)
    }
    // Not mapped.
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_pirq), [3, 0, 0], from: owner) == Answer.invalid)
    #expect(
      physical(PHYSDEVOP_map_pirq, [0x7ff0, 0, .max, .max, 0, 0, 0, 0, 0, 0], from: owner)
        == Self.notSupported)
  }

  @Test func lineOfTheHypervisor_isBusy() {
    let line = UInt32(FakeMachine.ownLine)
    #expect(map(line) == 0)
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_pirq), [line, 0, 0], from: owner) == Self.busy)
    #expect(bench.machine.openLines.isEmpty)
    #expect(physical(PHYSDEVOP_eoi, [line], from: owner) == Answer.invalid)
  }

  @Test func domainWithoutPrivilege_getsNone() {
    let other = bench.makeDomain(1, frames: 2).caller
    for command in [PHYSDEVOP_eoi, PHYSDEVOP_setup_gsi, PHYSDEVOP_irq_status_query] {
      #expect(physical(command, [11, 0], from: other) == Self.notPermitted)
    }
    #expect(
      bench.eventOperation(UInt64(EVTCHNOP_bind_pirq), [11, 0, 0], from: other)
        == Self.notPermitted)
  }
}
