// A small hypervisor on a fake machine, with domains to drive hypercalls from.

public import HypervisorCore
import X86

/// A hypervisor for tests: all frames but the first free, and domains as they are made.
public final class Bench {
  /// The machine.
  public let machine: FakeMachine
  /// The hypervisor under test.
  public let hypervisor: Hypervisor<FakeMachine>
  private let records: UnsafeMutablePointer<FrameRecord>
  private let physical: UnsafeMutablePointer<UInt64>
  private let slots: UnsafeMutablePointer<Domain>
  private let state: UnsafeMutablePointer<HypervisorState>
  /// Ports that a domain may have, port 0 included.
  public static let portCount = 16
  /// Where the M2P table of 32-bit guests would be; far from what the machine has.
  public static let compatWindow = MachineFrame(1 << 20)
  /// Calls that most often concern their own domain alone are made beside others first: Beside.swift.
  public var isBesideOthers = false
  /// What such a call did wrong; the recount throws it.
  public var violation: Violation?
  /// How many of them went on alone.
  public var askedForAllCount = 0
  private var vcpus: [UnsafeMutablePointer<VCPU>] = []
  private var tables: [UnsafeMutablePointer<UnsafeMutablePointer<VCPU>>] = []

  /// The last frame is I/O memory and frame 0 the hypervisor's own.
  public init(frameCount: Int = 64) {
    machine = FakeMachine(frameCount: frameCount)
    records = .allocate(capacity: frameCount)
    physical = .allocate(capacity: frameCount)
    slots = .allocate(capacity: 8)
    state = .allocate(capacity: 1)
    var online = ProcessorSet.none
    online.insert(ProcessorID(0))
    state.initialize(to: HypervisorState(online: online))
    for index in 0..<16 { state.pointee.reservedEntries[index] = 0xf000_0003 + UInt64(index) << 12 }
    hypervisor = Hypervisor(
      machine: machine, frames: FrameTable(records: records, count: UInt64(frameCount)),
      physicalFrames: MachineToPhysicalTable(entries: physical, count: UInt64(frameCount)),
      domains: DomainTable(slots: slots, capacity: 8), state: state)
    hypervisor.reserve(MachineFrame(0))
    state.pointee.compatWindow = Self.compatWindow
    state.pointee.compatWindowCount = 1
    for number in (1..<UInt64(frameCount) - 1).reversed() {
      hypervisor.addFree(MachineFrame(number))
    }
  }

  deinit {
    for pointer in vcpus { pointer.deallocate() }
    for pointer in tables { pointer.deallocate() }
    records.deallocate()
    physical.deallocate()
    slots.deallocate()
    state.deallocate()
  }

  /// A domain with frames of its own, of which it may have four more.
  public func makeDomain(
    _ number: UInt16, frames: Int, privileged: Bool = false, is32Bit: Bool = false
  ) -> (caller: Caller, frames: [MachineFrame]) {
    let vcpu = UnsafeMutablePointer<VCPU>.allocate(capacity: 2)
    vcpus.append(vcpu)
    let table = UnsafeMutablePointer<UnsafeMutablePointer<VCPU>>.allocate(capacity: 2)
    tables.append(table)
    for index in 0..<2 {
      (vcpu + index).initialize(to: VCPU(id: VCPUID(UInt32(index))))
      (table + index).initialize(to: vcpu + index)
    }
    var domain = Domain(id: DomainID(number), vcpus: VCPUTable(table), vcpuCount: 2)
    domain.isPrivileged = privileged
    domain.is32Bit = is32Bit
    domain.pageLimit = UInt64(frames) + 4
    domain.portLimit = UInt32(Self.portCount)
    guard let pointer = hypervisor.createDomain(domain) else {
      preconditionFailure("The domain's slot is taken")
    }
    precondition(!is32Bit || hypervisor.makeMonitorTables(of: pointer), "No monitor tables")
    var list: [MachineFrame] = []
    for index in 0..<frames {
      guard let frame = hypervisor.allocate(for: pointer) else { break }
      hypervisor.physicalFrames[frame] = PseudoPhysicalFrame(UInt64(index))
      list.append(frame)
    }
    vcpu.pointee.processor = ProcessorID(0)
    vcpu.pointee.isInitialised = true
    vcpu.pointee.isUp = true
    return (Caller(domain: pointer, vcpu: vcpu), list)
  }

  /// Gives a domain its shared page.
  public func share(with caller: Caller) {
    caller.domain.pointee.sharedInfo = hypervisor.allocateShared(for: caller.domain)
  }

  /// Writes an entry into plain memory, as a guest prepares a table.
  public func prepare(_ frame: MachineFrame, _ index: Int, _ target: MachineFrame, _ flags: UInt64)
  {
    machine.words(of: frame)[index] = target.number << 12 | flags
  }

  /// Makes a call until it is done, as a guest's restarts do.
  ///
  /// Nil: it never ends.
  public func finish(
    _ arguments: HypercallArguments, limit: Int = 10_000,
    _ call: (inout HypercallArguments) -> HypercallResult
  ) -> Int64? {
    var arguments = arguments
    for _ in 0..<limit {
      if case .value(let value) = call(&arguments) { return value }
    }
    return nil
  }

  /// Likewise a call that may run beside others, with its domain's lock or without.
  public func finish(
    _ arguments: HypercallArguments, limit: Int = 10_000, beside caller: Caller,
    as kind: BesideKind = .domain, _ call: (inout HypercallArguments) -> HypercallResult
  ) -> Int64? {
    guard isBesideOthers else { return finish(arguments, limit: limit, call) }
    return finish(arguments, limit: limit) { arguments in
      beside(caller.domain, as: kind) {
        call(&arguments)
      } wantsAll: {
        $0 == .again
      }
    }
  }

  /// mmu_update with one element.
  public func mmuUpdate(
    _ pointer: UInt64, _ value: UInt64, foreign: UInt64 = 0x7ff0, from caller: Caller
  ) -> Int64? {
    machine.poke([pointer, value], at: 0)
    return finish(HypercallArguments(FakeMachine.windowBase.value, 1, 0, foreign), beside: caller) {
      hypervisor.mmuUpdate(&$0, from: caller)
    }
  }

  /// Puts elements of mmuext_op into the window, in words as wide as a caller has them.
  public func poke(operations words: [UInt64], at offset: Int, for caller: Caller) {
    guard caller.domain.pointee.is32Bit else { return machine.poke(words, at: offset) }
    for (index, word) in words.enumerated() {
      machine.poke(half: UInt32(truncatingIfNeeded: word), at: offset + index * 4)
    }
  }

  /// mmuext_op with one element.
  public func extended(
    _ command: UInt64, _ first: UInt64 = 0, _ second: UInt64 = 0, foreign: UInt64 = 0x7ff0,
    from caller: Caller
  ) -> Int64? {
    poke(operations: [command, first, second], at: 0, for: caller)
    return finish(HypercallArguments(FakeMachine.windowBase.value, 1, 0, foreign), beside: caller) {
      hypervisor.mmuExtendedOperation(&$0, from: caller)
    }
  }

  /// event_channel_op with 32-bit fields; the fields afterwards are in the window.
  public func eventOperation(
    _ command: UInt64, _ fields: [UInt32], limit: Int = 10_000, from caller: Caller
  ) -> Int64? {
    machine.poke([0, 0, 0, 0], at: 0)
    for (index, field) in fields.enumerated() { machine.poke(half: field, at: index * 4) }
    let arguments = HypercallArguments(command, FakeMachine.windowBase.value)
    // EVTCHNOP_send and EVTCHNOP_unmask alone change nothing but what is changed atomically.
    guard command == 4 || command == 9 else {
      return finish(arguments, limit: limit) {
        hypervisor.eventChannelOperation(&$0, from: caller)
      }
    }
    return finish(arguments, limit: limit, beside: caller, as: .signal) {
      hypervisor.eventChannelOperation(&$0, from: caller)
    }
  }
}
