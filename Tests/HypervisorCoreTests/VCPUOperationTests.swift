import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

@Suite struct VCPUOperationTests {
  private let guest = Booted()
  private var bench: Bench { guest.bench }
  private var domain: DomainPointer { guest.caller.domain }
  private var second: UnsafeMutablePointer<VCPU> { domain.pointee.vcpus[1] }

  init() { guest.bench.share(with: guest.caller) }

  private func operate(
    _ command: Int32, _ vcpu: UInt64 = 0, _ argument: UInt64 = FakeMachine.windowBase.value,
    words: [UInt64] = []
  ) throws(HypercallError) -> VCPUAction {
    bench.machine.poke(words, at: 0)
    return try bench.hypervisor.vcpuOperation(
      HypercallArguments(UInt64(bitPattern: Int64(command)), vcpu, argument), from: guest.caller
    ).action
  }

  @Test func isUp_tellsWhichVCPUsThereAre() throws {
    #expect(try operate(VCPUOP_is_up) == .answer(1))
    #expect(try operate(VCPUOP_is_up, 1) == .answer(0))
    for vcpu: UInt64 in [2, 1000, 0xffff_ffff] {
      #expect(throws: HypercallError.noEntry) { try operate(VCPUOP_is_up, vcpu) }
    }
    #expect(throws: HypercallError.noSuchCall) { try operate(14) }
    #expect(throws: HypercallError.noSuchCall) { try operate(-1) }
    #expect(throws: HypercallError.invalid) { try operate(VCPUOP_get_physid) }
  }

  @Test func upAndDown_followTheState() throws {
    #expect(throws: HypercallError.invalid) { try operate(VCPUOP_up, 1) }
    #expect(try operate(VCPUOP_up) == .answer(0), "up while up")
    #expect(try operate(VCPUOP_down, 1) == .answer(0), "down while down")
    #expect(try operate(VCPUOP_down) == .powerOff, "the last one")
    bench.poke(GuestContext(kernelTable: guest.frames[0]))
    #expect(bench.initialise(1, from: guest.caller) == 0)
    #expect(try operate(VCPUOP_up, 1) == .start)
    #expect(try operate(VCPUOP_is_up, 1) == .answer(1))
    #expect(try operate(VCPUOP_down) == .stop)
    #expect(try operate(VCPUOP_down, 1) == .powerOff)
  }

  @Test func timers_areChecked() throws {
    #expect(
      try operate(VCPUOP_set_periodic_timer, words: [1_000_000]) == .setPeriodicTimer(1_000_000))
    #expect(throws: HypercallError.invalid) {
      try operate(VCPUOP_set_periodic_timer, words: [999_999])
    }
    #expect(throws: HypercallError.invalid) { try operate(VCPUOP_set_periodic_timer, words: [~0]) }
    #expect(try operate(VCPUOP_stop_periodic_timer, 1, 0) == .setPeriodicTimer(nil))
    bench.machine.now = 500
    #expect(try operate(VCPUOP_set_singleshot_timer, words: [499, 0]) == .setSingleShotTimer(499))
    #expect(throws: HypercallError.timePassed) {
      try operate(VCPUOP_set_singleshot_timer, words: [499, 1])
    }
    #expect(try operate(VCPUOP_set_singleshot_timer, words: [501, 1]) == .setSingleShotTimer(501))
    for command in [VCPUOP_set_singleshot_timer, VCPUOP_stop_singleshot_timer] {
      #expect(throws: HypercallError.invalid) { try operate(command, 1) }
    }
    #expect(try operate(VCPUOP_stop_singleshot_timer) == .setSingleShotTimer(nil))
  }

  @Test func areas_areHeldOffTheHypervisor() throws {
    for command in [VCPUOP_register_runstate_memory_area, VCPUOP_register_vcpu_time_memory_area] {
      for address: UInt64 in [0xffff_8000_0000_0000, 0x7fff_ffff_fff0, ~0 - 15] {
        #expect(throws: HypercallError.fault) { try operate(command, words: [address]) }
      }
    }
    let area = GuestVirtualAddress(0x1000)
    #expect(
      try operate(VCPUOP_register_runstate_memory_area, words: [area.value]) == .keepRunState(area))
    #expect(
      try operate(VCPUOP_register_vcpu_time_memory_area, words: [area.value]) == .keepTime(area))
    #expect(try operate(VCPUOP_register_runstate_memory_area, words: [0]) == .keepRunState(nil))
    #expect(try operate(VCPUOP_get_runstate_info, 0, 8) == .tellRunState(GuestVirtualAddress(8)))
    #expect(try operate(VCPUOP_send_nmi, 0, 0) == .sendNMI)
    #expect(throws: HypercallError.invalid) { try operate(VCPUOP_send_nmi) }
  }

  @Test func badPointers_areFaults() {
    for command in [
      VCPUOP_initialise, VCPUOP_register_runstate_memory_area, VCPUOP_set_periodic_timer,
      VCPUOP_set_singleshot_timer, VCPUOP_register_vcpu_info,
      VCPUOP_register_vcpu_time_memory_area,
    ] {
      for address: UInt64 in [0x1000, 0xffff_8000_0000_0000, ~0] {
        #expect(throws: HypercallError.fault) { try operate(command, 0, address) }
      }
    }
  }

  @Test func registerInfo_ofARunningVCPU_isRefused() throws {
    let frame = guest.frames[9].number
    #expect(throws: HypercallError.noDevice) {
      try operate(VCPUOP_register_vcpu_info, words: [frame, 4064])
    }
    #expect(try operate(VCPUOP_register_vcpu_info, 1, words: [frame, 64]) == .answer(0))
    #expect(bench.machine.words(of: guest.frames[9])[9] == ~0)
    #expect(throws: HypercallError.invalid) {
      try operate(VCPUOP_register_vcpu_info, 1, words: [frame, 128])
    }
    #expect(try operate(VCPUOP_register_vcpu_info, words: [frame, 128]) == .answer(0))
    try bench.recount()
  }

  @Test func initialise_takesTablesAndForcesRing3() throws {
    var context = GuestContext(kernelTable: guest.frames[0])
    context.userTable = guest.frames[0]
    context.rflags = ~0
    context.descriptorFrames = [guest.frames[10]]
    context.descriptorCount = 512
    context.localTableBase = 0x3000
    context.localTableCount = 16
    context.eventCallback = 0x1234
    bench.poke(context)
    // Frame 10 is mapped writable: it cannot be a descriptor page.
    #expect(bench.initialise(1, from: guest.caller) == Answer.invalid)
    #expect(second.pointee.kernelTable == nil)
    try bench.recount()
    #expect(guest.map(10 << 12, 0) == 0)
    let start = try bench.hypervisor.initialise(
      second, from: .guest(Bench.contextAddress), of: domain)
    #expect(second.pointee.kernelTable == guest.frames[0])
    #expect(second.pointee.userTable == guest.frames[0])
    #expect(second.pointee.descriptorCount == 512)
    #expect(second.pointee.localTableCount == 16)
    #expect(start.registers.cs & 3 == 3 && start.registers.ss & 3 == 3)
    #expect(start.registers.rflags == 0x24_0fd7, "no IOPL, no NT, no VM; interrupts on")
    #expect(start.portLevel == 3, "IOPL is the virtual one")
    #expect(start.registers.rip == 0x40_0000)
    #expect(start.eventCallback.value == 0x1234)
    try bench.recount()
    #expect(bench.initialise(1, from: guest.caller) == -17)
  }

  @Test func initialise_badStates_leaveNothingTaken() throws {
    let table = guest.frames[0]
    let changes: [(inout GuestContext) -> Void] = [
      { $0.flags = 0 }, { $0.entry = 1 << 47 }, { $0.eventCallback = 1 << 63 },
      { $0.fsBase = 1 << 47 }, { $0.kernelTable = MachineFrame(0) },
      { $0.kernelTable = MachineFrame(1 << 39) },
      { [frames = guest.frames] in $0.kernelTable = frames[9] },
      { [frames = guest.frames] in $0.userTable = frames[1] }, { $0.descriptorCount = 7169 },
      { $0.descriptorCount = 1 }, { $0.localTableCount = 8193 },
      {
        $0.localTableBase = 8
        $0.localTableCount = 1
      },
    ]
    for (index, change) in changes.enumerated() {
      var context = GuestContext(kernelTable: table)
      change(&context)
      bench.poke(context)
      #expect(bench.initialise(1, from: guest.caller) == Answer.invalid, "change \(index)")
      #expect(second.pointee.kernelTable == nil && !second.pointee.isInitialised)
      try bench.recount()
    }
  }

  @Test func initialise_isInterrupted_andGetsFurtherEachTime() throws {
    // A second tree that is not validated yet.
    let frames = guest.frames
    for index in 4..<7 { bench.prepare(frames[index], 0, frames[index + 1], 7) }
    for index in 1..<8 { bench.prepare(frames[6], index, frames[7], 7) }
    bench.prepare(frames[7], 0, frames[8], 5)
    var context = GuestContext(kernelTable: frames[4])
    context.userTable = frames[0]
    bench.poke(context)
    var turns = 0
    var isDone = false
    while !isDone, turns < 1_000 {
      turns += 1
      // Enough to get down to one entry of level 2.
      bench.machine.preemptAfter = 3
      do throws(MemoryError) {
        _ = try bench.hypervisor.initialise(second, from: .guest(Bench.contextAddress), of: domain)
        isDone = true
      } catch {
        #expect(error == .preempted)
        try bench.recount()
      }
    }
    bench.machine.preemptAfter = nil
    #expect(isDone && turns > 4)
    try bench.recount()
    bench.hypervisor.beginDeath(of: domain)
    try bench.recount()
  }

  @Test func initialise_withOtherTablesAfterAnInterruption_dropsTheFirst() throws {
    let frames = guest.frames
    for index in 4..<7 { bench.prepare(frames[index], 0, frames[index + 1], 7) }
    var context = GuestContext(kernelTable: frames[0])
    context.userTable = frames[4]
    bench.poke(context)
    bench.machine.preemptAfter = 0
    #expect(throws: MemoryError.preempted) {
      try bench.hypervisor.initialise(second, from: .guest(Bench.contextAddress), of: domain)
    }
    #expect(second.pointee.kernelTable == frames[0], "kept for the next turn")
    try bench.recount()
    bench.poke(GuestContext(kernelTable: frames[4]))
    #expect(bench.initialise(1, from: guest.caller) == 0)
    #expect(second.pointee.kernelTable == frames[4])
    #expect(second.pointee.userTable == nil)
    try bench.recount()
  }
}
