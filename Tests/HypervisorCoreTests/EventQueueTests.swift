import CXenABI
import HypervisorCore
import HypervisorCoreTesting
import Testing

/// A domain in the FIFO form: control blocks of both vcpus in frame 8, words of 1024 ports in frame 9.
private struct QueueGuest {
  let guest = Booted()
  var bench: Bench { guest.bench }
  static let pending: UInt32 = 1 << 31
  static let masked: UInt32 = 1 << 30
  static let linked: UInt32 = 1 << 29
  static let busy: UInt32 = 1 << 28

  init(words: Bool = true) {
    bench.share(with: guest.caller)
    for vcpu: UInt32 in 0..<2 { _ = control(8, vcpu * 128, vcpu) }
    if words { _ = expand(9) }
  }

  func control(_ frame: Int, _ offset: UInt32, _ vcpu: UInt32) -> Int64? {
    operate(11, [UInt32(guest.frames[frame].number), 0, offset, vcpu])
  }

  func expand(_ frame: Int) -> Int64? { operate(12, [UInt32(guest.frames[frame].number), 0]) }

  func operate(_ command: UInt64, _ fields: [UInt32]) -> Int64? {
    bench.eventOperation(command, fields, from: guest.caller)
  }

  /// Binds an IPI of a vcpu.
  func bind(_ vcpu: UInt32) -> UInt32 {
    _ = operate(7, [vcpu])
    return bench.machine.peek(half: 4)
  }

  func half(_ frame: Int, _ index: Int) -> UInt32 {
    let word = bench.machine.words(of: guest.frames[frame])[index / 2]
    return UInt32(truncatingIfNeeded: index & 1 == 1 ? word >> 32 : word)
  }

  func setHalf(_ frame: Int, _ index: Int, _ value: UInt32) {
    let word = bench.machine.words(of: guest.frames[frame]) + index / 2
    if index & 1 == 1 {
      word.pointee = word.pointee & 0xffff_ffff | UInt64(value) << 32
    } else {
      word.pointee = word.pointee & ~0xffff_ffff | UInt64(value)
    }
  }

  func word(_ port: UInt32) -> UInt32 { half(9, Int(port)) }
  func ready(_ vcpu: Int) -> UInt32 { half(8, vcpu * 32) }
  func head(_ vcpu: Int, _ priority: Int) -> UInt32 { half(8, vcpu * 32 + 2 + priority) }

  /// Takes the first event out of a queue, as a guest does; nil where it is empty.
  func take(_ vcpu: Int, _ priority: Int) -> UInt32? {
    let port = head(vcpu, priority)
    guard port != 0 else { return nil }
    let value = word(port)
    setHalf(9, Int(port), value & ~(Self.linked | Self.pending | 0x1ffff))
    setHalf(8, vcpu * 32 + 2 + priority, value & 0x1ffff)
    return port
  }

  func clearReady(_ vcpu: Int) { setHalf(8, vcpu * 32, 0) }
}

@Suite struct EventQueueTests {
  @Test func initControl_followsTheRules() throws {
    let guest = QueueGuest()
    #expect(guest.control(10, 0, 0) == Answer.invalid, "it has one")
    let other = Booted()
    other.bench.share(with: other.caller)
    let frame = UInt32(other.frames[8].number)
    for (fields, answer): ([UInt32], Int64) in [
      ([frame, 0, 4, 0], Answer.invalid), ([frame, 0, 4088, 0], Answer.invalid),
      ([frame, 0, 4032, 0], Answer.invalid), ([frame, 0, 0xffff_fff8, 0], Answer.invalid),
      ([frame, 0, 0, 2], -2), ([UInt32(other.frames[3].number), 0, 0, 0], Answer.invalid),
      ([frame, 1, 0, 0], Answer.invalid), ([frame, 0, 4024, 0], 0),
    ] {
      #expect(other.bench.eventOperation(11, fields, from: other.caller) == answer, "\(fields)")
      try other.bench.recount()
    }
    #expect(other.bench.machine.peek(16) & 0xff == 17, "link bits")
    #expect(other.extended(0, 8) == Answer.invalid, "no table while the hypervisor writes there")
  }

  @Test func expandArray_needsTheFormAndEnds() throws {
    let guest = Booted()
    guest.bench.share(with: guest.caller)
    let frame = UInt32(guest.frames[9].number)
    #expect(guest.bench.eventOperation(12, [frame, 0], from: guest.caller) == -95)
    let queues = QueueGuest(words: false)
    for _ in 0..<128 { #expect(queues.expand(9) == 0) }
    #expect(queues.expand(9) == -28)
    #expect(queues.expand(3) == -28)
    try queues.bench.recount()
    #expect(queues.operate(10, [0x7ff0]) == 0)
    try queues.bench.recount()
  }

  @Test func send_queuesInOrder_andTellsOnce() throws {
    let guest = QueueGuest()
    let ports = (0..<3).map { _ in guest.bind(0) }
    for port in ports { #expect(guest.operate(4, [port]) == 0) }
    #expect(guest.ready(0) == 1 << 7)
    #expect(guest.head(0, 7) == ports[0])
    #expect(guest.word(ports[0]) == QueueGuest.pending | QueueGuest.linked | ports[1])
    #expect(guest.word(ports[1]) == QueueGuest.pending | QueueGuest.linked | ports[2])
    #expect(guest.word(ports[2]) == QueueGuest.pending | QueueGuest.linked)
    #expect(guest.bench.machine.woken.count == 1)
    #expect(
      guest.bench.hypervisor.isUpcallPending(
        on: guest.guest.caller.vcpu, of: guest.guest.caller.domain))
    for port in ports { #expect(guest.take(0, 7) == port) }
    #expect(guest.take(0, 7) == nil)
    guest.clearReady(0)
    #expect(guest.operate(4, [ports[2]]) == 0)
    #expect(guest.head(0, 7) == ports[2], "the last one of the empty queue comes again")
    #expect(guest.word(ports[2]) & 0x1ffff == 0, "and does not point to itself")
    try guest.bench.recount()
  }

  @Test func masked_isLinkedByUnmask() {
    let guest = QueueGuest()
    let port = guest.bind(0)
    guest.setHalf(9, Int(port), QueueGuest.masked)
    #expect(guest.operate(4, [port]) == 0)
    #expect(guest.word(port) == QueueGuest.masked | QueueGuest.pending)
    #expect(guest.ready(0) == 0)
    #expect(guest.operate(9, [port]) == 0)
    #expect(guest.word(port) == QueueGuest.linked | QueueGuest.pending)
    #expect(guest.head(0, 7) == port)
    #expect(guest.operate(9, [port]) == 0)
    #expect(guest.head(0, 7) == port)
  }

  @Test func priority_countsFromTheNextEvent() {
    let guest = QueueGuest()
    let port = guest.bind(0)
    #expect(guest.operate(4, [port]) == 0)
    #expect(guest.operate(13, [port, 2]) == 0)
    #expect(guest.operate(13, [port, 16]) == Answer.invalid)
    #expect(guest.operate(4, [port]) == 0)
    #expect(guest.head(0, 2) == 0)
    #expect(guest.take(0, 7) == port)
    #expect(guest.operate(4, [port]) == 0)
    #expect(guest.head(0, 2) == port)
    // The old queue knows that it is empty: its next event becomes its head.
    let second = guest.bind(0)
    #expect(guest.operate(4, [second]) == 0)
    #expect(guest.head(0, 7) == second)
    #expect(guest.word(port) & 0x1ffff == 0, "no link from one queue into another")
  }

  @Test func bindVCPU_whileLinked_movesTheNextEvent() {
    let guest = QueueGuest()
    _ = guest.operate(6, [0x7ff0 | 0x7ff0 << 16])
    let one = guest.bench.machine.peek(half: 4)
    _ = guest.operate(0, [0x7ff0, one])
    let two = guest.bench.machine.peek(half: 8)
    _ = guest.take(0, 7)
    guest.clearReady(0)
    #expect(guest.operate(4, [two]) == 0)
    #expect(guest.head(0, 7) == one)
    #expect(guest.operate(8, [one, 1]) == 0)
    #expect(guest.operate(4, [two]) == 0)
    #expect(guest.head(1, 7) == 0, "it is linked on vcpu 0 still")
    #expect(guest.take(0, 7) == one)
    #expect(guest.operate(4, [two]) == 0)
    #expect(guest.head(1, 7) == one)
    #expect(guest.ready(1) == 1 << 7)
    let third = guest.bind(0)
    #expect(guest.operate(4, [third]) == 0)
    #expect(guest.head(0, 7) == third)
    #expect(guest.word(one) & 0x1ffff == 0)
  }

  @Test func close_ofTheLastInAQueue_leavesNoWayFromOneQueueToAnother() {
    let guest = QueueGuest()
    let port = guest.bind(1)
    #expect(guest.operate(4, [port]) == 0)
    #expect(guest.take(1, 7) == port)
    #expect(guest.operate(3, [port]) == 0)
    #expect(guest.bind(0) == port, "the number is used again")
    #expect(guest.operate(4, [port]) == 0)
    let other = guest.bind(1)
    #expect(guest.operate(4, [other]) == 0)
    #expect(guest.head(1, 7) == other)
    #expect(guest.word(port) & 0x1ffff == 0)
  }

  @Test func event_beforeItsWord_comesWithThePage() {
    let guest = QueueGuest(words: false)
    let port = guest.bind(0)
    #expect(guest.operate(4, [port]) == 0)
    #expect(guest.ready(0) == 0)
    #expect(guest.expand(9) == 0)
    #expect(guest.word(port) == QueueGuest.pending | QueueGuest.linked)
    #expect(guest.head(0, 7) == port)
  }

  @Test func event_beforeTheSwitch_isNotLost() {
    let guest = Booted()
    guest.bench.share(with: guest.caller)
    _ = guest.bench.eventOperation(7, [0], from: guest.caller)
    let port = guest.bench.machine.peek(half: 4)
    #expect(guest.bench.eventOperation(4, [port], from: guest.caller) == 0)
    let control = UInt32(guest.frames[8].number)
    #expect(guest.bench.eventOperation(11, [control, 0, 0, 0], from: guest.caller) == 0)
    let words = UInt32(guest.frames[9].number)
    #expect(guest.bench.eventOperation(12, [words, 0], from: guest.caller) == 0)
    #expect(guest.bench.machine.words(of: guest.frames[8])[0] == 1 << 7)
  }

  @Test func hostileWords_costNothingButTheGuestsEvents() throws {
    let guest = QueueGuest()
    let ports = (0..<4).map { _ in guest.bind(0) }
    for port in ports { _ = guest.operate(4, [port]) }
    // A loop, a link to itself, a link beyond all words, everything cleared.
    for link: UInt32 in [ports[0], ports[3], 0x1ffff, 1024, 0] {
      for bits: UInt32 in [0, QueueGuest.linked, QueueGuest.linked | QueueGuest.busy, 7 << 29] {
        for port in ports { guest.setHalf(9, Int(port), bits | link) }
        for port in ports { #expect(guest.operate(4, [port]) == 0) }
        guest.setHalf(8, 2 + 7, link)
        try guest.bench.recount()
      }
    }
  }

  @Test func guestThatNeverLeavesAWordAlone_isLeftBehind() throws {
    let guest = QueueGuest()
    let ports = (0..<2).map { _ in guest.bind(0) }
    _ = guest.operate(4, [ports[0]])
    var count = 0
    guest.bench.machine.interference = { _, word in
      word.pointee ^= 1 << 40
      count += 1
    }
    #expect(guest.operate(4, [ports[1]]) == 0)
    guest.bench.machine.interference = nil
    #expect(count < 1_000)
    #expect(guest.word(ports[0]) & QueueGuest.busy == 0)
    try guest.bench.recount()
  }

  @Test func reset_goesBackToTwoLevels() throws {
    let guest = QueueGuest()
    let free = guest.bench.hypervisor.state.pointee.freeCount
    let port = guest.bind(0)
    _ = guest.operate(4, [port])
    #expect(guest.operate(14, [0x7ff0]) == Answer.busy, "no reset to go on with")
    #expect(guest.operate(10, [0x7ff0]) == 0)
    #expect(guest.bench.hypervisor.state.pointee.freeCount == free + 1)
    #expect(guest.operate(12, [0, 0]) == -95)
    #expect(guest.extended(0, 9), "its frame is the guest's own again")
    let again = guest.bind(0)
    #expect(again == port)
    _ = guest.operate(4, [again])
    let page = guest.guest.caller.domain.pointee.sharedInfo ?? MachineFrame(0)
    #expect(guest.bench.machine.words(of: page)[256] == 1 << UInt64(again))
    #expect(guest.control(8, 0, 0) == 0, "and the FIFO form can be had again")
    try guest.bench.recount()
  }
}

extension QueueGuest {
  /// Whether a frame of the guest's can become a table, which none that is written to can.
  fileprivate func extended(_ command: UInt64, _ frame: Int) -> Bool {
    for index in 0..<512 { bench.machine.words(of: guest.frames[frame])[index] = 0 }
    _ = guest.map(UInt64(frame) << 12, 0)
    return guest.extended(command, frame) == 0
  }
}
