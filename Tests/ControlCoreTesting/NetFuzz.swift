// Two guests on a bridge that chain slots at random. Whatever they do, every slot has an answer unless
// the ring broke, no frame exceeds its receiver's limit, and nothing stays mapped.

import CXenABI
import ControlCore
import XenABI

/// Hostile guests on a bridge.
public final class NetFuzz {
  private var random: SeededNumbers
  private let hypervisor = FakeHypervisor()
  private let store: LocalStore
  private var interfaces: [FakeInterface] = []
  private var backends: [NetBackend<FakeHypervisor, FakeHypervisor>] = []
  private var isBroken = [false, false]
  private var references: [UInt32] = []
  private var sent = [0, 0]
  private var answered = [0, 0]

  /// Two guests that are connected, with offloads at random.
  public init(seed: UInt64) {
    random = SeededNumbers(seed: seed)
    store = LocalStore(Store())
    let bridge = Bridge(addressesPerPort: 4)
    for domain in [1, 2] as [UInt16] {
      let interface = FakeInterface(domain, hypervisor)
      interfaces.append(interface)
      let backend = NetBackend(
        bridge: bridge, grants: hypervisor, events: hypervisor, domain: DomainID(domain),
        address: random.below(2) == 0 ? MACAddress(UInt64(domain) * 2) : nil)
      backends.append(backend)
      let front = StorePath.home(of: DomainID(domain)).child("device")
      store.write(front.child("request-rx-copy"), Bytes("1"))
      store.write(
        front.child("tx-ring-ref"), Bytes(decimal: UInt64(interface.references.0.rawValue)))
      store.write(
        front.child("rx-ring-ref"), Bytes(decimal: UInt64(interface.references.1.rawValue)))
      store.write(front.child("event-channel"), Bytes("1"))
      for key: StaticString in [
        "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
        "feature-no-csum-offload", "request-multicast-control",
      ] { store.write(front.child(key), Bytes(decimal: UInt64(random.below(2)))) }
      do throws(XenbusFault) {
        try backend.connect(FrontendKeys(store, front), BackendKeys(store, front))
      } catch { fatalError("the keys are right") }
      for page in 140..<150 { references.append(interface.guest.grant(page).rawValue) }
    }
    references += [0, 99_999]
  }

  /// Makes so many random steps; what went wrong, or `nil`.
  public func run(steps: Int) -> String? {
    for step in 0..<steps {
      let index = random.below(2)
      switch random.below(5) {
      case 0, 1:
        if interfaces[index].transmit.free > 60 { chain(index) }
      case 2:
        let event = EventPort(UInt32(index + 1) * 1000 + 1)
        let progress = backends[index].handle(event, now: UInt64(step) << 30)
        if progress?.isBroken == true { isBroken[index] = true }
      case 3:
        interfaces[index].post(random.below(30))
      default:
        backends[index].flush()
        answered[index] += interfaces[index].takeStatuses().count
        if answered[index] > sent[index] { return "step \(step): an answer to nothing" }
        for frame in interfaces[index].takeFrames()
        where frame.segmentSize == 0 && frame.bytes.count > 1518 {
          return "step \(step): a frame that is too large"
        }
      }
    }
    for index in 0...1 {
      for _ in 0..<8 {
        let event = EventPort(UInt32(index + 1) * 1000 + 1)
        if backends[index].handle(event, now: 0)?.isBroken == true { isBroken[index] = true }
        answered[index] += interfaces[index].takeStatuses().count
      }
      if !isBroken[index], answered[index] != sent[index] { return "slots without an answer" }
      backends[index].stop()
      if !backends[index].finish() { return "the backend does not end" }
    }
    return hypervisor.mappedCount == 0 && hypervisor.boundCount == 0
      ? nil : "something stays mapped"
  }

  private func chain(_ index: Int) {
    let interface = interfaces[index]
    if random.below(2) == 0 {
      sendFrame(interface, index)
    } else {
      // Rarely without an end, which breaks the ring.
      let length = 1 + random.below(random.below(6) == 0 ? 24 : 4)
      let isEndless = random.below(100) == 0
      for slot in 0..<length {
        var flags = Xen.NetifTxFlags(rawValue: UInt16(random.below(4)))
        if slot + 1 < length || isEndless { flags.insert(.moreData) }
        let extras = random.below(4) == 0 && slot == 0 ? 1 + random.below(3) : 0
        if extras > 0 { flags.insert(.extraInfo) }
        interface.put(
          random.pick(references), offset: random.below(random.below(5) == 0 ? 65536 : 200),
          size: random.below(random.below(5) == 0 ? 65536 : 2000), flags: flags)
        for extra in 0..<extras { interface.put(self.extra(isLast: extra + 1 == extras)) }
        sent[index] += 1 + extras
      }
      _ = interface.transmit.push()
    }
  }

  private func extra(isLast: Bool) -> Xen.NetifExtraInfo {
    var extra = FakeInterface.segment(
      UInt16(random.below(2000)), type: Xen.NetifGsoType(rawValue: UInt8(random.below(4))))
    extra.type = UInt8(random.below(7))
    if extra.type == 2 || extra.type == 3 {
      withUnsafeMutableBytes(of: &extra.u.mcast.addr) { $0[0] = UInt8(random.below(2)) }
    }
    extra.flags = isLast ? 0 : 1
    return extra
  }

  /// A TCP or UDP frame with some bytes spoiled.
  private func sendFrame(_ interface: FakeInterface, _ index: Int) {
    let isIPv6 = random.below(2) == 0
    let isTCP = random.below(3) > 0
    let payload = Bytes(repeating: 3, count: random.below(random.below(3) == 0 ? 30_000 : 1400))
    var frame = FrameMaker.transport(
      random.pick([2, 4, 6, 0xffff_ffff_ffff, 0x0100_5e00_0001]), random.pick([2, 4, 8, 10]),
      payload: payload, isIPv6: isIPv6, isTCP: isTCP)
    for _ in 0..<random.below(4) {
      frame[random.below(min(frame.count, 80))] = UInt8(truncatingIfNeeded: random.next())
    }
    let isLarge = random.below(2) == 0
    let segment =
      isLarge
      ? FakeInterface.segment(UInt16(random.below(3000)), type: isIPv6 ? .tcpv6 : .tcpv4) : nil
    interface.send(
      frame, pieces: 2048 + random.below(2048),
      flags: random.below(2) == 0 ? [.csumBlank, .dataValidated] : [], extra: segment)
    sent[index] = sentCount(interface, index)
  }

  /// Slots that were put so far: those answered, and those the ring still holds.
  private func sentCount(_ interface: FakeInterface, _ index: Int) -> Int {
    answered[index] + 256 - Int(interface.transmit.free)
  }
}
