// Guests that send the store whatever comes to mind: requests of every kind with good and bad
// payloads, half messages, rubbish in the ring's indexes. After every step the tree must be sound.

import CXenABI
import ControlCore
import XenABI

/// Three guests and a toolstack against one store.
public final class StoreFuzz {
  private var random: SeededNumbers
  private let store = Store()
  private var guests: [StoreGuest] = []

  /// A store with guests.
  public init(seed: UInt64) {
    random = SeededNumbers(seed: seed)
    for domain in [0, 1, 2, 3] as [UInt16] { guests.append(StoreGuest(store, domain)) }
    for domain in ["1", "2", "3"] {
      let home = "/local/domain/" + domain
      guests[0].ask(.introduce, domain, "1", "1")
      guests[0].ask(.mkdir, home)
      guests[0].ask(.setPerms, home, "n" + domain, "r1")
    }
  }

  /// Makes so many random steps; what went wrong, or `nil`.
  public func run(steps: Int) -> String? {
    for step in 0..<steps {
      self.step()
      // Looking at everything is slow.
      if step % 16 == 15 || step == steps - 1, !store.isConsistent {
        return "step \(step): the tree is not sound"
      }
      for domain in 1...3 where store.nodeCount(of: DomainID(UInt16(domain))) > 1000 {
        return "step \(step): domain \(domain) has too many nodes"
      }
    }
    return nil
  }

  private func step() {
    let index = random.below(guests.count)
    let guest = guests[index]
    switch random.below(40) {
    case 0:
      scribble(guest)
    case 1:
      guest.page.pointee.connection = UInt32(random.below(3))
      _ = guest.channel.run()
      guest.reconnect()
    case 2:
      guest.send((0..<random.below(64)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    case 3:
      replace(index)
    case 4...9:
      guest.receive()
      while guest.nextMessage() != nil {}
    default:
      guest.send(message().bytes)
    }
  }

  private func scribble(_ guest: StoreGuest) {
    let value = random.pick([
      0, 1, 1023, 1024, 1025, .max, UInt32(truncatingIfNeeded: random.next()),
    ])
    switch random.below(4) {
    case 0: guest.page.pointee.req_prod &+= value
    case 1: guest.page.pointee.req_cons = value
    case 2: guest.page.pointee.rsp_cons &+= value
    default: guest.page.pointee.rsp_prod = value
    }
    _ = guest.channel.run()
  }

  /// A guest that dies, or whose connection is not served any more, makes room for a new one.
  private func replace(_ index: Int) {
    guard !guests[index].channel.isServed || random.below(8) == 0 else { return }
    guests[index].channel.close()
    if index > 0, random.below(2) == 0 {
      let toolstack = StoreGuest(store, 0)
      toolstack.ask(.release, "\(index)")
      toolstack.ask(.introduce, "\(index)", "1", "1")
      toolstack.channel.close()
    }
    guests[index] = StoreGuest(store, UInt16(index))
  }

  private func name() -> Bytes {
    let parts = ["a", "b", "c", "data", "device", "x1"]
    var text: String
    switch random.below(8) {
    case 0: text = "/local/domain/\(random.below(4))"
    case 1: text = random.pick(["/", "", "@releaseDomain", "@introduceDomain", "@", "//", "/tool"])
    case 2: text = String(repeating: "l/", count: random.below(1700)) + "l"
    default: text = random.pick(parts)
    }
    for _ in 0..<random.below(4) { text += "/" + random.pick(parts) }
    return Bytes(text.utf8)
  }

  private func message() -> StoreMessage {
    let type = UInt32(random.below(20) == 0 ? Int(UInt16.max) : random.below(25))
    var payload = name()
    if random.below(20) > 0 { payload.append(0) }
    switch Xen.XenstoreType(rawValue: type) {
    case .write:
      payload += Bytes(repeating: 7, count: random.pick([0, 1, 100, 2000]))
    case .watch, .unwatch:
      payload += Bytes("t\(random.below(4))\0".utf8)
    case .setPerms:
      for _ in 0..<random.below(7) {
        payload += Bytes("\(random.pick(["n", "r", "w", "b", "q"]))\(random.below(4))\0".utf8)
      }
    case .directoryPart:
      payload += Bytes("\(random.below(100))\0".utf8)
    case .transactionStart:
      payload = [0]
    case .transactionEnd:
      payload = Bytes(random.pick(["T\0", "F\0", "X\0", ""]).utf8)
    case .getDomainPath, .isDomainIntroduced, .release, .resume:
      payload = Bytes("\(random.below(5))\0".utf8)
    case .introduce, .setTarget:
      payload = Bytes("\(random.below(5))\0\(random.below(5))\0\(random.below(5))\0".utf8)
    default:
      break
    }
    let transaction = random.below(3) == 0 ? UInt32(random.below(12)) : 0
    return StoreMessage(
      type: Xen.XenstoreType(rawValue: type), request: UInt32(random.below(9)),
      transaction: transaction, payload: Bytes(payload.prefix(4096)))
  }
}
