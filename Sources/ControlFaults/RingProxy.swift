// A ring between a guest and its honest backend: the backend works on a ring of ours, and what it
// answers there the fault changes on its way into the guest's.
//
//   guest --requests--> guest's page --> our page --> backend
//   guest <--responses-- guest's page <- [fault] <-- our page <-- backend

import CXenABI
import ControlCore
import XenABI

/// What a round of a ring leads to.
struct RingRound {
  /// The backend has something to look at.
  var hasRequests = false
  /// How many events the guest is sent.
  var events = 0
  /// The device itself is struck so often.
  var deviceStrikes = 0
}

/// One fault at one guest, over all of its connections.
final class FaultState {
  let plan: FaultPlan
  let domain: DomainID
  var clock: FaultClock
  /// It has been said that the fault struck.
  var isTold = false

  init(_ plan: FaultPlan, _ domain: DomainID) {
    self.plan = plan
    self.domain = domain
    clock = FaultClock(plan)
  }

  var act: FaultAct { plan.fault.act }
}

/// A ring with a fault in the middle.
final class RingProxy<Request: BitwiseCopyable, Response: FaultyResponse & BitwiseCopyable> {
  private let page: UnsafeMutableRawPointer
  /// What the backend has as the guest's ring.
  let shadow: UnsafeMutableRawPointer
  private var guest: Xen.BackRing<Request, Response>
  private var backend: Xen.FrontRing<Request, Response>
  private let slotSize: Int
  private let slotCount: Int
  private let state: FaultState?
  /// Responses in the guest's ring.
  private var answered: UInt32 = 0
  /// Responses that wait, and until when.
  private var held: [(response: Response, due: UInt64)] = []
  /// Responses that are replaced, behind one that was struck.
  private var followers = 0
  /// The guest's ring is past repair; nothing more is done to it.
  private var isFrozen = false

  /// How long a response is late.
  private static var delay: UInt64 { 50_000_000 }

  /// A ring whose pages stay mapped while this is used; without a fault it only passes on.
  init?(unsafePages page: UnsafeMutableRawPointer, byteCount: Int, _ state: FaultState?) {
    let shadow = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
    shadow.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    guard let guest = Xen.BackRing<Request, Response>(unsafePage: page, byteCount: byteCount),
      let backend = Xen.FrontRing<Request, Response>(unsafePage: shadow, byteCount: byteCount)
    else {
      shadow.deallocate()
      return nil
    }
    self.page = page
    self.shadow = shadow
    self.guest = guest
    self.backend = backend
    self.state = state
    slotSize = max(MemoryLayout<Request>.size, MemoryLayout<Response>.size)
    slotCount = Int(xenabi_ring_count(UInt32(byteCount), UInt32(slotSize)))
  }

  deinit { shadow.deallocate() }

  /// Passes on what there is in both directions.
  func pump(now: UInt64) -> RingRound {
    var round = RingRound()
    guard !isFrozen else { return round }
    round.hasRequests = takeRequests()
    while !isFrozen, let response = takeResponse() { pass(response, now, &round) }
    release(now)
    guard !isFrozen else {
      round.events = 1
      return round
    }
    let isWanted = guest.push()
    switch state?.act {
    case .noEvents where isWanted: _ = state?.clock.tick()
    case .noEvents: break
    case .eventStorm where isWanted:
      _ = state?.clock.tick()
      round.events = 64
    default: round.events = max(round.events, isWanted ? 1 : 0)
    }
    return round
  }

  private func takeRequests() -> Bool {
    var isAny = false
    while backend.free > 0 {
      // What the fault has scribbled the guest overwrites with its next request.
      guard let request = try? guest.take() else {
        if guest.wait(), let request = try? guest.take() {
          isAny = backend.put(request) || isAny
          continue
        }
        break
      }
      isAny = backend.put(request) || isAny
    }
    _ = backend.push()
    return isAny
  }

  private func takeResponse() -> Response? {
    do throws(Xen.RingBroken) { return try backend.take() } catch { return nil }
  }

  private func pass(_ response: Response, _ now: UInt64, _ round: inout RingRound) {
    var response = response
    guard let state else { return put(response) }
    if followers > 0 {
      followers -= 1
      response.follow(state.act, left: followers)
      return put(response)
    }
    guard state.act.isOfResponses, state.clock.tick() else { return put(response) }
    let salt = state.clock.struck
    switch state.act {
    case .dropped: break
    case .late: held.append((response, now &+ Self.delay))
    case .reordered: held.append((response, now &+ Self.delay / 10))
    case .doubled:
      put(response)
      put(response)
    case .rewritten:
      put(response)
      // Behind the index: the guest may have looked already, or be looking.
      _ = guest.push()
      response.strike(.rewritten, salt: salt)
      slot(answered &- 1).storeBytes(of: response, as: Response.self)
      round.events = 1
    case .indexAhead, .indexBack, .overrun, .scribbledHeader, .scribbledSlots:
      put(response)
      _ = guest.push()
      scribble(state.act)
      round.events = 1
    case .closes, .vanishes, .stateDance, .stateUnknown, .restarts, .replugged, .portClosed:
      put(response)
      round.deviceStrikes += 1
    default:
      response.strike(state.act, salt: salt)
      followers = Response.followers(state.act)
      put(response)
    }
    if state.act != .late, state.act != .reordered { return }
    if held.count > 1, state.act == .reordered { release(.max) }
  }

  /// Puts a response into the guest's ring, and beyond all its requests if there is no other place.
  private func put(_ response: Response) {
    if !guest.put(response) {
      slot(answered).storeBytes(of: response, as: Response.self)
      word(2, answered &+ 1)
      isFrozen = true
    }
    answered &+= 1
  }

  /// Puts what has waited long enough, the latest first.
  private func release(_ now: UInt64) {
    var index = held.count
    while index > 0 {
      index -= 1
      guard held[index].due <= now else { continue }
      put(held.remove(at: index).response)
    }
  }

  // SAFETY: the index is masked, so the slot lies inside the guest's pages.
  private func slot(_ index: UInt32) -> UnsafeMutableRawPointer {
    page + 64 + (Int(index) & (slotCount - 1)) * slotSize
  }

  // SAFETY: the header's four words are the page's first.
  private func word(_ which: Int, _ value: UInt32) {
    page.storeBytes(of: value, toByteOffset: which * 4, as: UInt32.self)
  }

  private func scribble(_ act: FaultAct) {
    switch act {
    case .scribbledHeader:
      for which in [0, 1, 3] { word(which, answered &+ 0x5555_5555) }
    case .scribbledSlots:
      (page + 64).initializeMemory(as: UInt8.self, repeating: 0xa5, count: slotCount * slotSize)
    default:
      let away: UInt32 =
        act == .indexAhead ? 1000 : act == .overrun ? UInt32(slotCount) : 0 &- 3
      word(2, answered &+ away)
      isFrozen = true
    }
  }
}
