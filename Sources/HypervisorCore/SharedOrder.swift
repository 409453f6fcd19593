// In which order a guest uses the memory that it shares, as breakpoints and single steps show it.
//
//     what it does                      what must follow soon
//     clears evtchn_upcall_mask         a look at evtchn_upcall_pending, or a hypercall
//     reads a field of the time         a look at its version
//     writes a ring's req_prod          a barrier before the look at req_event
//     writes a ring's rsp_event         a barrier and a look at rsp_prod
//
// Each slip loses an event, or gives a wrong time, once in a great many runs: so no run would show it,
// and the order itself is looked at. While nothing is under way four breakpoints wait for the left
// column. Then the guest is stepped, so many instructions at most, and each is taken apart before it is
// carried out. Meanwhile no breakpoint waits: QEMU makes two exceptions of a step that meets one.

import CXenABI
import XenABI

/// What a guest has done in the wrong order.
public enum OrderSlip: UInt8, Sendable, CaseIterable {
  /// Events were unmasked, and nobody looked whether one had come meanwhile.
  case unmaskWithoutLook
  /// The time was read, and nobody looked whether it had changed meanwhile.
  case timeWithoutVersion
  /// Requests were published, and req_event read before others could see them.
  case publishWithoutBarrier
  /// An event was asked for, and nobody looked whether a response had come before.
  case wishWithoutLook
}

/// What an instruction means for the order.
public enum OrderStep: Sendable {
  case plain
  /// Loads behind it wait for stores before it.
  case barrier
  /// It enters the hypervisor, which is a barrier and delivers events.
  case hypercall
}

/// Where a guest has what it shares; 0 for what is not known.
public struct SharedPlaces: Sendable, Equatable {
  /// How many rings are looked at in turn.
  public static var ringLimit: Int { 4 }

  /// Its vcpu_info.
  public var info: UInt64 = 0
  /// First pages of rings.
  public var rings = InlineArray<4, UInt64>(repeating: 0)

  /// Nothing is known.
  public init() {}

  public static func == (a: Self, b: Self) -> Bool {
    var isSame = a.info == b.info
    for index in 0..<Self.ringLimit where a.rings[index] != b.rings[index] { isSame = false }
    return isSame
  }
}

/// Watches one vcpu.
public struct SharedOrder: Sendable {
  /// Instructions after which what must follow has not.
  static var patience: Int { 64 }
  /// Bits of DR7 by breakpoint.
  private static var enabled: UInt64 { 1 }
  private static var writes: UInt64 { 1 }
  private static var accesses: UInt64 { 3 }

  /// Something that a breakpoint has shown, and what must follow.
  private struct Watch: Sendable {
    var slip: OrderSlip
    /// The address behind the instruction that began it.
    var place: UInt64
    /// What is looked at if all is well.
    var look: UInt64
    var hasBarrier: Bool
    var left = SharedOrder.patience
    /// What the instruction that is carried out reads or writes.
    var access: OrderAccess?
  }

  /// What is known.
  public private(set) var places = SharedPlaces()
  private var watch: Watch?
  /// The first of the watched sides of rings; each ring has two.
  private var turn = 0

  /// Nothing is watched.
  public init() {}

  /// Something is known, so that the debug registers are in use.
  public var isOn: Bool { places != SharedPlaces() }

  /// The guest is to be stepped.
  public var isStepping: Bool { watch != nil }

  /// What is looked for at the moment.
  public var watched: OrderSlip? { watch?.slip }

  /// Takes places, and goes on to the next rings.
  public mutating func look(at places: SharedPlaces) {
    self.places = places
    if sideCount > 2 { turn = (turn + 2) % sideCount }
  }

  /// Rings have gone, and their pages serve other purposes: what their breakpoints show is nothing.
  public mutating func forgetRings() {
    places.rings = InlineArray(repeating: 0)
    if let slip = watch?.slip, slip == .publishWithoutBarrier || slip == .wishWithoutLook {
      watch = nil
    }
  }

  /// The sides of rings that are known: the published requests of each and its wish for an event.
  private var sideCount: Int {
    var count = 0
    for index in 0..<SharedPlaces.ringLimit where places.rings[index] != 0 { count += 2 }
    return count
  }

  /// The ring's page and the side of one of two breakpoints.
  private func side(_ index: Int) -> (ring: UInt64, isWish: Bool)? {
    let count = sideCount
    guard index < count else { return nil }
    var number = (turn + index) % count
    for ring in 0..<SharedPlaces.ringLimit where places.rings[ring] != 0 {
      if number < 2 { return (places.rings[ring], number == 1) }
      number -= 2
    }
    return nil
  }

  // MARK: Places

  private static var ringWord: UInt64 { UInt64(MemoryLayout<UInt32>.size) }
  // The words of a ring's header in their order: req_prod, req_event, rsp_prod, rsp_event.
  private func published(_ ring: UInt64) -> UInt64 { ring }
  private func wanted(_ ring: UInt64) -> UInt64 { ring &+ Self.ringWord }
  private func answered(_ ring: UInt64) -> UInt64 { ring &+ 2 &* Self.ringWord }
  private func wish(_ ring: UInt64) -> UInt64 { ring &+ 3 &* Self.ringWord }

  private var mask: UInt64 { places.info &+ UInt64(Xen.Offset.vcpu_info.evtchn_upcall_mask) }
  private var pending: UInt64 { places.info &+ UInt64(Xen.Offset.vcpu_info.evtchn_upcall_pending) }
  private func time(_ offset: Int) -> UInt64 {
    places.info &+ UInt64(Xen.Offset.vcpu_info.time &+ offset)
  }

  // MARK: Breakpoints

  /// DR0 to DR3 and DR7.
  public var breakpoints: (addresses: InlineArray<4, UInt64>, control: UInt64) {
    var addresses = InlineArray<4, UInt64>(repeating: 0)
    var control = DebugRegisters.emptyControl
    func set(_ index: Int, _ address: UInt64, size: UInt64, _ condition: UInt64) {
      addresses[index] = address
      let length: UInt64 = size == 8 ? 2 : size - 1
      control |= Self.enabled << UInt64(index * 2)
      control |= (condition | length << 2) << UInt64(16 + index * 4)
    }
    if watch != nil { return (addresses, 0) }
    if places.info != 0 {
      set(0, mask, size: 1, Self.writes)
      set(1, time(Xen.Offset.vcpu_time_info.system_time), size: 8, Self.accesses)
    }
    for index in 0..<2 {
      guard let (ring, isWish) = side(index) else { break }
      set(2 + index, isWish ? wish(ring) : published(ring), size: 4, Self.writes)
    }
    return (addresses, control)
  }

  // MARK: What happens

  /// An event comes between: what its handler does says nothing of who is watched.
  public mutating func abandon() { watch = nil }

  /// Takes note of a debug exception, and answers what was wrong, and where.
  ///
  /// `met` has a bit for each breakpoint that was met, and the guest goes on at `address`, where `next`
  /// is the instruction with its operand; the one before may have been an exchange with memory.
  public mutating func note(
    met: UInt64, at address: UInt64, isMasked: Bool, wasExchange: Bool, next: OrderStep,
    access: OrderAccess?
  ) -> (slip: OrderSlip, place: UInt64)? {
    var found: (slip: OrderSlip, place: UInt64)?
    if let current = watch {
      let hasLooked = current.access?.covers(current.look, end: address) ?? false
      found = goOn(current, hasLooked: hasLooked)
    } else {
      begin(met, address, isMasked: isMasked, wasExchange: wasExchange)
    }
    if let current = watch {
      watch?.access = access
      found = expect(next, current) ?? found
    }
    return found
  }

  private mutating func begin(
    _ met: UInt64, _ address: UInt64, isMasked: Bool, wasExchange: Bool
  ) {
    if met & 1 != 0, !isMasked {
      watch = Watch(
        slip: .unmaskWithoutLook, place: address, look: pending, hasBarrier: true)
    } else if met & 2 != 0 {
      watch = Watch(
        slip: .timeWithoutVersion, place: address,
        look: time(Xen.Offset.vcpu_time_info.version), hasBarrier: true)
    } else if met & 12 != 0, let (ring, isWish) = side(met & 4 != 0 ? 0 : 1) {
      watch = Watch(
        slip: isWish ? .wishWithoutLook : .publishWithoutBarrier, place: address,
        look: isWish ? answered(ring) : wanted(ring), hasBarrier: wasExchange)
    }
  }

  private mutating func goOn(
    _ current: Watch, hasLooked: Bool
  ) -> (slip: OrderSlip, place: UInt64)? {
    if hasLooked {
      watch = nil
      return current.hasBarrier ? nil : (current.slip, current.place)
    }
    if current.left > 1 {
      watch?.left = current.left - 1
      return nil
    }
    watch = nil
    // Whoever always notifies need not look whether that is wanted.
    return current.slip == .publishWithoutBarrier ? nil : (current.slip, current.place)
  }

  /// Looks ahead to the next instruction.
  private mutating func expect(
    _ next: OrderStep, _ current: Watch
  ) -> (slip: OrderSlip, place: UInt64)? {
    switch next {
    case .plain: return nil
    case .barrier:
      watch?.hasBarrier = true
      return nil
    case .hypercall:
      watch = nil
      switch current.slip {
      case .unmaskWithoutLook, .publishWithoutBarrier: return nil
      case .timeWithoutVersion, .wishWithoutLook: return (current.slip, current.place)
      }
    }
  }
}
