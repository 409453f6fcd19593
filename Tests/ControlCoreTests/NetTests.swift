// The bridge and the interfaces on it.

import CXenABI
import ControlCore
import ControlCoreTesting
import Testing
import XenABI

/// A port that keeps what it is given.
final class RecordingPort: NetworkPort {
  var frames: [Packet] = []
  var limit = Int.max

  override func send(_ packet: Packet) -> Bool {
    guard frames.count < limit else { return false }
    frames.append(packet)
    return true
  }
}

@Suite("Bridge")
struct BridgeTests {
  let bridge = Bridge(addressesPerPort: 4)
  let ports = (0..<3).map { _ in RecordingPort(offloads: PortOffloads()) }

  init() { for port in ports { bridge.attach(port) } }

  func send(_ to: UInt64, _ from: UInt64, at port: Int, now: UInt64 = 0) {
    if let packet = Packet(FrameMaker.plain(to, from)) {
      bridge.forward(packet, from: ports[port], now: now)
    }
  }

  var counts: [Int] { ports.map { $0.frames.count } }

  @Test("an unknown destination goes to all others, a known one to its port, none back")
  func learning() {
    send(0x02, 0x04, at: 0)
    #expect(counts == [0, 1, 1])
    send(0x04, 0x02, at: 1)
    #expect(counts == [1, 1, 1])
    send(0x02, 0x04, at: 0)
    #expect(counts == [1, 2, 1])
    // To an address at the port that it came from: it has been there.
    send(0x04, 0x06, at: 0)
    #expect(counts == [1, 2, 1])
    send(0xffff_ffff_ffff, 0x06, at: 2)
    #expect(counts == [2, 3, 1])
  }

  @Test("an address moves with its owner, and is forgotten after five minutes")
  func ageing() {
    let second: UInt64 = 1_000_000_000
    send(0xffff_ffff_ffff, 0x04, at: 0)
    send(0xffff_ffff_ffff, 0x04, at: 2)
    let before = counts
    send(0x04, 0x02, at: 1, now: second)
    #expect(counts == [before[0], before[1], before[2] + 1])
    send(0x04, 0x02, at: 1, now: 301 * second)
    #expect(counts == [before[0] + 1, before[1], before[2] + 2])
  }

  @Test("a flood of addresses pushes out only the flooder's own")
  func flood() {
    send(0xffff_ffff_ffff, 0x02, at: 0)
    for address in 0..<1000 as Range<UInt64> {
      send(0xffff_ffff_ffff, 0x1000 + address * 2, at: 1, now: address)
    }
    #expect(bridge.addressCount == 5)
    let before = counts
    send(0x02, 0x8, at: 2, now: 1000)
    #expect(counts == [before[0] + 1, before[1], before[2]])
    // Of the flooder's own the newest is known, and the oldest is not.
    send(0x1000 + 999 * 2, 0x8, at: 2, now: 1000)
    #expect(counts == [before[0] + 1, before[1] + 1, before[2]])
    send(0x1000, 0x8, at: 2, now: 1000)
    #expect(counts == [before[0] + 2, before[1] + 2, before[2]])
  }

  @Test("an address that was given away is nobody else's")
  func pinned() {
    bridge.detach(ports[0])
    bridge.attach(ports[0], address: MACAddress(0x02))
    send(0xffff_ffff_ffff, 0x02, at: 1)
    #expect(counts == [0, 0, 0])
    send(0x02, 0x04, at: 2)
    #expect(counts == [1, 0, 0])
  }

  @Test("frames from groups and of the bridges' own protocols go nowhere")
  func refused() {
    send(0x02, 0x0100_0000_0001, at: 0)
    send(0x0180_c200_0000, 0x04, at: 0)
    #expect(counts == [0, 0, 0])
    #expect(Packet([1, 2, 3]) == nil)
  }

  @Test("a port that is gone gets nothing and is remembered nowhere")
  func detached() {
    send(0xffff_ffff_ffff, 0x04, at: 0)
    bridge.detach(ports[0])
    send(0x04, 0x02, at: 1)
    #expect(counts == [0, 1, 2])
    send(0x02, 0x04, at: 0)
    #expect(counts == [0, 1, 2])
    #expect(bridge.portCount == 2)
  }

  @Test("addresses as text")
  func text() {
    #expect(MACAddress(Bytes("00:16:3e:Aa:0f:ff".utf8)) == MACAddress(0x16_3eaa_0fff))
    for bad in [
      "", "00:16:3e:aa:0f", "00-16-3e-aa-0f-ff", "00:16:3e:aa:0f:fg", "0:16:3e:aa:0f:fff",
    ] {
      #expect(MACAddress(Bytes(bad.utf8)) == nil)
    }
  }
}

@Suite("Offloads")
struct OffloadTests {
  func give(_ frame: Bytes, _ segment: LargeSegment?, _ offloads: PortOffloads) -> RecordingPort {
    let bridge = Bridge()
    let (from, to) = (RecordingPort(offloads: PortOffloads()), RecordingPort(offloads: offloads))
    bridge.attach(from)
    bridge.attach(to)
    guard var packet = Packet(frame) else { return to }
    packet.isChecksumBlank = true
    packet.segment = segment
    bridge.forward(packet, from: from, now: 0)
    return to
  }

  @Test("missing checksums are computed for those that want them", arguments: [0, 1, 2, 999, 1000])
  func checksums(count: Int) {
    let payload = Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    for (isIPv6, isTCP) in [(false, false), (false, true), (true, false), (true, true)] {
      var frame = FrameMaker.transport(2, 4, payload: payload, isIPv6: isIPv6, isTCP: isTCP)
      // A guest may leave anything in the checksum's place.
      frame[(isIPv6 ? 54 : 34) + (isTCP ? 17 : 7)] = 0x5a
      let plain = give(frame, nil, PortOffloads())
      #expect(plain.frames.count == 1)
      #expect(plain.frames.allSatisfy { FrameMaker.isSound($0.bytes) && !$0.isChecksumBlank })
      var offloads = PortOffloads()
      offloads.checksumIPv4 = !isIPv6
      offloads.checksumIPv6 = isIPv6
      let blank = give(frame, nil, offloads)
      #expect(blank.frames.map(\.bytes) == [frame] && blank.frames[0].isChecksumBlank)
    }
  }

  @Test("a large segment is cut for those that want frames", arguments: [false, true])
  func cutting(isIPv6: Bool) {
    let payload = Bytes((0..<5000).map { UInt8(truncatingIfNeeded: $0 / 7) })
    // FIN, PSH, ACK and CWR.
    let frame = FrameMaker.transport(2, 4, payload: payload, isIPv6: isIPv6, flags: 0x99)
    let port = give(frame, LargeSegment(size: 1400, isIPv6: isIPv6), PortOffloads())
    let start = isIPv6 ? 74 : 54
    #expect(port.frames.count == 4)
    #expect(port.frames.allSatisfy { FrameMaker.isSound($0.bytes) })
    #expect(port.frames.flatMap { $0.bytes[start...] } == payload)
    #expect(port.frames.map { $0.bytes[start - 7] } == [0x90, 0x10, 0x10, 0x19])
    let sequences = port.frames.map { Int($0.bytes[start - 14]) << 8 + Int($0.bytes[start - 13]) }
    #expect(sequences == [0x1000, 0x1000 + 1400, 0x1000 + 2800, 0x1000 + 4200])
    var offloads = PortOffloads()
    offloads.segmentsIPv4 = !isIPv6
    offloads.segmentsIPv6 = isIPv6
    let whole = give(frame, LargeSegment(size: 1400, isIPv6: isIPv6), offloads)
    #expect(whole.frames.map(\.bytes) == [frame])
  }

  @Test("a segment size of one byte does not become thousands of frames")
  func tinySegments() {
    let frame = FrameMaker.transport(2, 4, payload: Bytes(repeating: 1, count: 60_000))
    #expect(give(frame, LargeSegment(size: 1, isIPv6: false), PortOffloads()).frames.count < 250)
  }

  @Test("headers that lie about lengths are no transport headers: the frame is dropped")
  func lies() {
    let good = FrameMaker.transport(2, 4, payload: Bytes(repeating: 1, count: 100))
    for (place, value) in [
      (14, 0x44), (14, 0x4f), (14, 0x65), (16, 0xff), (17, 0), (20, 0x20), (21, 1), (23, 1),
      (46, 0x40), (46, 0xf0),
    ] as [(Int, UInt8)] {
      var frame = good
      frame[place] = value
      if place == 46, value == 0xf0 { frame = Bytes(frame[..<60]) }
      let port = give(frame, nil, PortOffloads())
      #expect(port.frames.isEmpty && port.dropped == 1, "byte \(place) is \(value)")
    }
    for count in 14..<good.count {
      #expect(give(Bytes(good[..<count]), nil, PortOffloads()).frames.isEmpty)
    }
  }

  @Test("a frame larger than the port's largest is dropped")
  func tooLarge() {
    let bridge = Bridge()
    let (from, to) = (
      RecordingPort(offloads: PortOffloads()), RecordingPort(offloads: PortOffloads())
    )
    bridge.attach(from)
    bridge.attach(to)
    for count in [1518, 1519] {
      if let packet = Packet(FrameMaker.plain(2, 4, count: count)) {
        bridge.forward(packet, from: from, now: 0)
      }
    }
    #expect(to.frames.count == 1 && to.dropped == 1)
  }
}

/// Two guests on a bridge, connected by their keys.
final class NetSetting {
  let store = Store()
  let hypervisor = FakeHypervisor()
  let bridge = Bridge()
  let local: LocalStore
  var interfaces: [FakeInterface] = []
  var backends: [NetBackend<FakeHypervisor, FakeHypervisor>] = []

  init(_ keys: [String: String] = [:], features: NetFeatures = NetFeatures()) {
    local = LocalStore(store)
    for domain in [1, 2] as [UInt16] {
      interfaces.append(FakeInterface(domain, hypervisor))
      backends.append(
        NetBackend(
          bridge: bridge, grants: hypervisor, events: hypervisor, domain: DomainID(domain),
          address: MACAddress(UInt64(domain) * 2), features: features))
      #expect(connect(Int(domain) - 1, keys) == nil)
    }
  }

  /// Writes keys and connects; returns what is wrong with them.
  func connect(_ index: Int, _ keys: [String: String]) -> XenbusFault? {
    let front = StorePath.home(of: DomainID(UInt16(index + 1))).child("device").child("vif")
    let back = StorePath.home(of: .control).child("backend").child(Bytes("\(index)".utf8))
    let own = interfaces[index].references
    var all = [
      "tx-ring-ref": "\(own.transmit.rawValue)", "rx-ring-ref": "\(own.receive.rawValue)",
      "event-channel": "1", "request-rx-copy": "1", "feature-rx-notify": "1", "feature-sg": "1",
      "feature-gso-tcpv4": "1", "feature-gso-tcpv6": "1", "feature-ipv6-csum-offload": "1",
    ]
    all.merge(keys) { $1 }
    local.remove(front)
    for (key, value) in all {
      local.write(front.child(Bytes(key.utf8)), Bytes(value.utf8))
    }
    do throws(XenbusFault) {
      backends[index].announce(BackendKeys(local, back))
      try backends[index].connect(FrontendKeys(local, front), BackendKeys(local, back))
    } catch { return error }
    return nil
  }

  /// Lets the backends work.
  @discardableResult
  func work() -> Progress {
    let first = backends[0].handle(EventPort(1001), now: 0)
    _ = backends[1].handle(EventPort(2001), now: 0)
    for backend in backends { backend.flush() }
    return first ?? Progress()
  }

  /// Sends from the first guest; returns what the second received.
  func pass(
    _ frame: Bytes, pieces: Int = 4096, flags: Xen.NetifTxFlags = [],
    extra: Xen.NetifExtraInfo? = nil
  ) -> [ReceivedFrame] {
    interfaces[1].post(64)
    interfaces[0].send(frame, pieces: pieces, flags: flags, extra: extra)
    work()
    return interfaces[1].takeFrames()
  }
}

@Suite("Network interfaces")
struct NetInterfaceTests {
  @Test("a frame arrives as it was sent, in one piece or several", arguments: [4096, 500, 100])
  func passing(pieces: Int) {
    let setting = NetSetting()
    let frame = FrameMaker.plain(4, 2, count: 1500)
    let received = setting.pass(frame, pieces: pieces)
    #expect(received.map(\.bytes) == [frame])
    #expect(received.first?.flags == [])
    let statuses = setting.interfaces[0].takeStatuses()
    #expect(statuses == Array(repeating: 0, count: (1500 + pieces - 1) / pieces))
    #expect(setting.hypervisor.events[EventPort(1001)] == 1)
    #expect(setting.hypervisor.events[EventPort(2001)] == 1)
  }

  @Test("large segments pass whole to those that take them, and in frames to others")
  func segments() {
    let frame = FrameMaker.transport(4, 2, payload: Bytes(repeating: 7, count: 20_000))
    let extra = FakeInterface.segment(1400, type: .tcpv4)
    let whole = NetSetting()
    let received = whole.pass(frame, flags: [.csumBlank, .dataValidated], extra: extra)
    #expect(received.map(\.bytes) == [frame])
    #expect(received.first?.segmentSize == 1400 && received.first?.pieceCount == 5)
    #expect(received.first?.flags.contains([.csumBlank, .dataValidated]) == true)
    #expect(whole.interfaces[0].takeStatuses() == [0, 1, 0, 0, 0, 0])
    // The extra slot has used up a page of its own: what follows lies in the right ones.
    let next = FrameMaker.plain(4, 2, count: 1000)
    #expect(whole.pass(next).map(\.bytes) == [next])
    for key in ["feature-gso-tcpv4", "feature-sg"] {
      let cut = NetSetting([key: "0", "feature-no-csum-offload": "1"])
      let frames = cut.pass(frame, flags: [.csumBlank], extra: extra)
      #expect(frames.count == 15)
      #expect(frames.allSatisfy { $0.segmentSize == 0 && FrameMaker.isSound($0.bytes) })
      #expect(frames.allSatisfy { $0.flags == [.dataValidated] })
    }
  }

  @Test(
    "pieces beyond their page, beyond the whole, or too many: errors, and the next frame passes")
  func badChains() {
    let setting = NetSetting()
    let interface = setting.interfaces[0]
    let page = interface.guest.grant(140).rawValue
    interface.put(page, offset: 4000, size: 97, flags: [])
    interface.put(page, offset: 0, size: 13, flags: [])
    interface.put(page, offset: 0, size: 0, flags: [])
    interface.put(page, offset: 65535, size: 65535, flags: [])
    interface.put(99999, offset: 0, size: 60, flags: [])
    interface.put(page, offset: 0, size: 100, flags: .moreData)
    interface.put(page, offset: 0, size: 101, flags: [])
    for index in 0..<25 {
      interface.put(
        page, offset: 0, size: index == 0 ? 2500 : 100, flags: index < 24 ? .moreData : [])
    }
    _ = interface.transmit.push()
    #expect(setting.pass(FrameMaker.plain(4, 2)).count == 1)
    #expect(interface.takeStatuses() == Array(repeating: -1, count: 32) + [0])
  }

  @Test("extras that are unknown, empty, too many or about another protocol")
  func badExtras() {
    let setting = NetSetting()
    let frame = FrameMaker.transport(4, 2, payload: Bytes(repeating: 7, count: 3000))
    for type in [0, 5, 200] as [UInt8] {
      var extra = FakeInterface.segment(1400, type: .tcpv4)
      extra.type = type
      #expect(setting.pass(frame, extra: extra).isEmpty)
    }
    #expect(setting.pass(frame, extra: FakeInterface.segment(0, type: .tcpv4)).isEmpty)
    #expect(setting.pass(frame, extra: FakeInterface.segment(1400, type: .tcpv6)).isEmpty)
    #expect(setting.pass(frame, extra: FakeInterface.segment(1400, type: .none)).isEmpty)
    let interface = setting.interfaces[0]
    _ = interface.takeStatuses()
    interface.put(interface.guest.grant(140).rawValue, offset: 0, size: 60, flags: .extraInfo)
    for index in 0..<20 {
      var extra = FakeInterface.segment(1400, type: .tcpv4)
      extra.flags = index < 19 ? 1 : 0
      interface.put(extra)
    }
    _ = interface.transmit.push()
    setting.work()
    #expect(interface.takeStatuses() == [-1] + Array(repeating: 1, count: 20))
  }

  @Test("a chain without an end breaks the ring; what stood before it was sent")
  func endlessChain() {
    let setting = NetSetting()
    setting.interfaces[1].post(8)
    setting.interfaces[0].send(FrameMaker.plain(4, 2))
    let page = setting.interfaces[0].guest.grant(140).rawValue
    setting.interfaces[0].put(page, offset: 0, size: 60, flags: .moreData)
    _ = setting.interfaces[0].transmit.push()
    #expect(setting.work().isBroken)
    #expect(setting.interfaces[1].takeFrames().count == 1)
    #expect(setting.interfaces[0].takeStatuses() == [0])
    #expect(setting.work().isBroken)
    #expect(setting.backends[0].finish())
  }

  @Test("frames wait for a guest's pages, up to a limit, and arrive in order")
  func waiting() {
    let setting = NetSetting()
    for index in 0..<400 {
      setting.interfaces[0].send(FrameMaker.plain(4, 2, count: 60 + index))
      setting.work()
      _ = setting.interfaces[0].takeStatuses()
    }
    #expect(setting.interfaces[1].takeFrames().isEmpty)
    #expect(setting.backends[1].dropped == 144)
    var sizes: [Int] = []
    for _ in 0..<40 {
      setting.interfaces[1].post(7)
      setting.work()
      sizes += setting.interfaces[1].takeFrames().map { $0.bytes.count }
    }
    #expect(sizes == (60..<316).map { $0 })
  }

  @Test("a page that is not granted for receiving spoils its frame only")
  func badBuffer() {
    let setting = NetSetting()
    setting.interfaces[1].post(3)
    let references = setting.interfaces[1].guest.grants.filter { $0.value.page == 3 }.keys
    for reference in references {
      setting.interfaces[1].guest.grants[reference]?.isWritable = false
    }
    for _ in 0..<3 { setting.interfaces[0].send(FrameMaker.plain(4, 2)) }
    setting.work()
    #expect(setting.interfaces[1].takeFrames().map { $0.bytes.count } == [60, 0, 60])
  }

  @Test("a filter passes the groups asked for, broadcasts, and nothing else")
  func filter() {
    let setting = NetSetting(["request-multicast-control": "1"])
    let group: UInt64 = 0x0100_5e00_0001
    func change(_ type: Xen.NetifExtraType) {
      var extra = Xen.NetifExtraInfo()
      extra.type = type.rawValue
      withUnsafeMutableBytes(of: &extra.u.mcast.addr) { $0.copyBytes(from: [1, 0, 0x5e, 0, 0, 1]) }
      setting.interfaces[1].put(0, offset: 0, size: 0, flags: .extraInfo, id: 9)
      setting.interfaces[1].put(extra)
      _ = setting.interfaces[1].transmit.push()
      setting.work()
      #expect(setting.interfaces[1].takeStatuses() == [0, 1])
    }
    #expect(setting.pass(FrameMaker.plain(group, 2)).isEmpty)
    #expect(setting.pass(FrameMaker.plain(0xffff_ffff_ffff, 2)).count == 1)
    change(.mcastAdd)
    #expect(setting.pass(FrameMaker.plain(group, 2)).count == 1)
    #expect(setting.pass(FrameMaker.plain(group + 1, 2)).isEmpty)
    change(.mcastDel)
    #expect(setting.pass(FrameMaker.plain(group, 2)).isEmpty)
  }

  @Test("keys that are missing or lie leave nothing behind")
  func badKeys() {
    let setting = NetSetting()
    #expect(setting.backends[0].finish())
    let mapped = setting.hypervisor.mappedCount
    for (key, value, fault) in [
      ("request-rx-copy", "0", XenbusFault.unsupported), ("tx-ring-ref", "77777", .notGranted),
      ("rx-ring-ref", "x", .malformed), ("event-channel", "3", .notBound),
      ("event-channel", "", .malformed), ("multi-queue-num-queues", "0", .malformed),
      ("multi-queue-num-queues", "9", .tooLarge), ("multi-queue-num-queues", "2", .missing),
      ("event-channel-tx", "1", .missing),
    ] {
      #expect(setting.connect(0, [key: value]) == fault)
      #expect(setting.hypervisor.mappedCount == mapped && setting.hypervisor.boundCount == 1)
    }
    #expect(
      setting.connect(0, ["event-channel-tx": "1", "event-channel-rx": "2"]) == nil)
    #expect(setting.hypervisor.boundCount == 3)
    #expect(setting.backends[0].handle(EventPort(1002), now: 0) != nil)
    #expect(setting.backends[0].handle(EventPort(1003), now: 0) == nil)
    #expect(setting.backends.allSatisfy { $0.finish() })
    #expect(setting.hypervisor.mappedCount == 0 && setting.hypervisor.boundCount == 0)
    #expect(setting.bridge.portCount == 0)
  }

  @Test("frames of one connection stay in one of several queues")
  func queues() {
    let setting = NetSetting()
    #expect(setting.backends[1].finish())
    setting.interfaces[1] = FakeInterface(2, setting.hypervisor)
    let guest = setting.interfaces[1].guest
    let second = (guest.grant(190), guest.grant(191))
    for page in [190, 191] { guest.address(page).storeBytes(of: 0, as: UInt64.self) }
    let own = setting.interfaces[1].references
    #expect(
      setting.connect(
        1,
        [
          "multi-queue-num-queues": "2",
          "queue-0/tx-ring-ref": "\(own.transmit.rawValue)",
          "queue-0/rx-ring-ref": "\(own.receive.rawValue)", "queue-0/event-channel": "1",
          "queue-1/tx-ring-ref": "\(second.0.rawValue)",
          "queue-1/rx-ring-ref": "\(second.1.rawValue)", "queue-1/event-channel": "2",
        ]) == nil)
    setting.interfaces[1].post(200)
    var hits = 0
    for port in 1000..<1064 {
      let frame = FrameMaker.transport(4, 2, payload: [], port: port)
      for _ in 0..<2 { setting.interfaces[0].send(frame) }
      setting.work()
      let received = setting.interfaces[1].takeFrames().count
      #expect(received == 0 || received == 2)
      hits += received / 2
    }
    #expect(hits > 10 && hits < 54)
  }
}
