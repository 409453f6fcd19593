// What breakpoints and steps show of a guest, and what is made of it.

import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing
import X86

@Suite struct SharedOrderTests {
  private static let info: UInt64 = 0xffff_8000_0000_1000
  private static let ring: UInt64 = 0xffff_8000_0000_2000

  private func watch() -> SharedOrder {
    var places = SharedPlaces()
    places.info = Self.info
    places.rings[0] = Self.ring
    var order = SharedOrder()
    order.look(at: places)
    return order
  }

  /// A breakpoint of the left column is met: the mask, the time, the published requests, the wish.
  private func begin(
    _ order: inout SharedOrder, _ breakpoint: Int, isMasked: Bool = false,
    wasExchange: Bool = false, next: OrderStep = .plain
  ) -> OrderSlip? {
    order.note(
      met: 1 << UInt64(breakpoint), at: 0x1000, isMasked: isMasked, wasExchange: wasExchange,
      next: next, access: nil)?.slip
  }

  /// A step over what was last said to be next; what comes then looks at a place, or at none.
  private func step(
    _ order: inout SharedOrder, then place: UInt64? = nil, next: OrderStep = .plain
  ) -> OrderSlip? {
    order.note(
      met: 0, at: 0x1004, isMasked: false, wasExchange: false, next: next,
      access: place.flatMap(load))?.slip
  }

  /// `mov (%rbx), %eax`, with the address in rbx.
  private func load(_ place: UInt64) -> OrderAccess? {
    OrderAccess(FetchedBytes(low: 0x038b, high: 0, count: 15)) { $0 == 3 ? place : 0 }
  }

  /// A look at a place, which the next step shows.
  private func look(_ order: inout SharedOrder, at place: UInt64) -> OrderSlip? {
    if let early = step(&order, then: place) { return early }
    return step(&order)
  }

  @Test func nothingKnown_usesNoRegister() {
    let order = SharedOrder()
    #expect(!order.isOn && order.breakpoints.control == 0x400)
  }

  @Test func atRest_fourPlacesAreWatched() {
    let (addresses, control) = watch().breakpoints
    #expect(addresses[0] == Self.info + 1 && addresses[1] == Self.info + 48)
    #expect(addresses[2] == Self.ring && addresses[3] == Self.ring + 12)
    // Writes of one byte; accesses to eight; writes of four, twice.
    #expect(control == 0xddb1_0455)
  }

  @Test func unmasking_wantsALookOrAHypercall() {
    var order = watch()
    #expect(begin(&order, 0) == nil && order.isStepping)
    #expect(order.breakpoints.control == 0, "no breakpoint while it is stepped")
    #expect(step(&order) == nil && order.isStepping)
    #expect(look(&order, at: Self.info) == nil && !order.isStepping)
    _ = begin(&order, 0)
    #expect(step(&order, next: .hypercall) == nil && !order.isStepping)
    _ = begin(&order, 0)
    var found: OrderSlip?
    var steps = 0
    while order.isStepping {
      found = step(&order)
      steps += 1
    }
    #expect(found == .unmaskWithoutLook && steps == 64)
  }

  @Test func masking_isNoAffair() {
    var order = watch()
    #expect(begin(&order, 0, isMasked: true) == nil && !order.isStepping)
  }

  @Test func time_wantsItsVersion_beforeAnyHypercall() {
    var order = watch()
    _ = begin(&order, 1)
    #expect(
      look(&order, at: Self.info + 24) == nil && order.isStepping, "another field")
    #expect(look(&order, at: Self.info + 32) == nil && !order.isStepping)
    _ = begin(&order, 1)
    #expect(step(&order, next: .hypercall) == .timeWithoutVersion)
  }

  @Test func publishing_wantsABarrierBeforeTheLook() {
    var order = watch()
    _ = begin(&order, 2, next: .barrier)
    #expect(look(&order, at: Self.ring + 4) == nil && !order.isStepping)
    _ = begin(&order, 2, wasExchange: true)
    #expect(look(&order, at: Self.ring + 4) == nil, "an exchange is a barrier")
    _ = begin(&order, 2)
    #expect(look(&order, at: Self.ring + 4) == .publishWithoutBarrier)
  }

  @Test func whoeverAlwaysNotifies_needNotLook() {
    var order = watch()
    _ = begin(&order, 2)
    #expect(step(&order, next: .hypercall) == nil && !order.isStepping)
    _ = begin(&order, 2)
    while order.isStepping { #expect(step(&order) == nil) }
  }

  @Test func aWish_wantsALastLook() {
    var order = watch()
    _ = begin(&order, 3, next: .barrier)
    #expect(look(&order, at: Self.ring + 8) == nil && !order.isStepping)
    _ = begin(&order, 3)
    #expect(step(&order, next: .hypercall) == .wishWithoutLook)
  }

  @Test func aRingThatHasGone_isNoLongerWatched() {
    var order = watch()
    _ = begin(&order, 2)
    order.forgetRings()
    #expect(!order.isStepping && order.breakpoints.addresses[2] == 0)
    #expect(begin(&order, 2) == nil && !order.isStepping)
  }

  @Test func whatAHandlerDoes_saysNothing() {
    var order = watch()
    _ = begin(&order, 2)
    order.abandon()
    #expect(!order.isStepping && look(&order, at: Self.ring + 4) == nil)
  }

  @Test func moreRings_taketurns() {
    var places = SharedPlaces()
    places.rings[1] = Self.ring
    places.rings[2] = Self.ring + 0x1000
    var order = SharedOrder()
    var seen: Set<UInt64> = []
    for _ in 0..<4 {
      order.look(at: places)
      let (addresses, _) = order.breakpoints
      seen.formUnion([addresses[2], addresses[3]])
    }
    #expect(seen.count == 4)
  }

  private func kind(_ bytes: [UInt8]) -> OrderStep {
    let padded = bytes + [UInt8](repeating: 0x90, count: 16 - bytes.count)
    let word = { (start: Int) in
      padded[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    return OrderStep(FetchedBytes(low: word(0), high: word(8), count: 15))
  }

  @Test func instructions_areKnownAsBarriers() {
    #expect(kind([0x0f, 0xae, 0xf0]) == .barrier)  // mfence
    #expect(kind([0x0f, 0xae, 0xe8]) == .plain)  // lfence
    #expect(kind([0xf0, 0x83, 0x0c, 0x24, 0x00]) == .barrier)  // lock orl $0, (%rsp)
    #expect(kind([0x41, 0x87, 0x07]) == .barrier)  // xchg %eax, (%r15)
    #expect(kind([0x87, 0xc1]) == .plain)  // xchg %eax, %ecx
    #expect(kind([0x0f, 0x05]) == .hypercall)
    #expect(kind([0x8b, 0x43, 0x04]) == .plain)
  }

  @Test func operands_areFoundWithTheirSizes() {
    func access(_ bytes: [UInt8]) -> OrderAccess? {
      let low = (bytes + [UInt8](repeating: 0, count: 8)).prefix(8).reversed()
        .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return OrderAccess(FetchedBytes(low: low, high: 0, count: 15)) { UInt64($0) << 12 }
    }
    // movzbl 8(%rbx), %eax
    let byte = access([0x0f, 0xb6, 0x43, 0x08])
    #expect(byte?.address == 0x3008 && byte?.byteCount == 1)
    // cmpb $0, (%rbx); movq (%rbx), %rax; subl 4(%rbx), %ecx
    #expect(access([0x80, 0x3b, 0x00])?.byteCount == 1)
    #expect(access([0x48, 0x8b, 0x03])?.byteCount == 8)
    #expect(access([0x2b, 0x4b, 0x04])?.address == 0x3004)
    // movl 16(%rip), %eax
    #expect(access([0x8b, 0x05, 0x10, 0, 0, 0])?.isRelative == true)
    // lea reads nothing, nor does a move between registers, or push.
    for bytes in [[0x48, 0x8d, 0x03], [0x89, 0xc1], [0x53]] as [[UInt8]] {
      #expect(access(bytes) == nil)
    }
  }

  @Test func anExchangeIsSeenFromItsEnd() {
    // 87 03 is xchg %eax, (%rbx); 89 03 a store.
    #expect(OrderStep.isExchange(behind: 0x0387_9090_9090_9090))
    #expect(!OrderStep.isExchange(behind: 0x0389_9090_9090_9090))
    // 87 43 08, and 87 04 25 with four bytes of address.
    #expect(OrderStep.isExchange(behind: 0x0843_8790_9090_9090))
    #expect(OrderStep.isExchange(behind: 0x8010_2000_2504_8790))
  }
}

@Suite struct SharedSearchTests {
  @Test func aMappedFrame_isFound_andAnotherIsNot() {
    let pair = GrantBench()
    let hypervisor = pair.bench.hypervisor
    #expect(hypervisor.address(of: pair.own[9], under: pair.own[0])?.value == 9 << 12)
    #expect(hypervisor.address(of: pair.frames[1], under: pair.own[0]) == nil)
  }

  @Test func aFreshRing_isNotedWhenItIsMapped() {
    let pair = GrantBench()
    let words = pair.bench.machine.words(of: pair.own[9])
    for index in 0..<8 { words[index] = index < 2 ? 1 << 32 : 0 }
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    #expect(pair.granter.domain.pointee.rings[0] == pair.own[9])
    let version = pair.granter.domain.pointee.rings.version
    #expect(pair.unmap(pair.handle) == GNTST_okay)
    #expect(pair.granter.domain.pointee.rings[0] == nil)
    #expect(pair.granter.domain.pointee.rings.version != version)
  }

  @Test func aPageOfData_isNoRing() {
    let pair = GrantBench()
    pair.grant(8, pair.own[9])
    #expect(pair.map(8) == GNTST_okay)
    #expect(pair.granter.domain.pointee.rings[0] == nil)
  }
}
