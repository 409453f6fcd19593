// The life of a network's driver: ARP, ping, and UDP to port 7 are answered, until a datagram says "end".
// Words of the command line: seconds=N at the most (30), ip=N (10.0.2.15 is 167772687), and features that
// are left out: no-sg, no-checksum, no-gso, no-split; queues=N.

import CXenABI

/// An interface that has been found.
///
/// From `ready` on `send` may be called for it.
final class Interface: NetDevice<System> {
  nonisolated(unsafe) static var found: Interface? = nil

  var ip: UInt64 = 0
  var arps: UInt64 = 0
  var pings: UInt64 = 0
  var datagrams: UInt64 = 0
  var others: UInt64 = 0
  var isToldToEnd = false

  override func ready() { Interface.found = Interface.found ?? self }

  override func receive(_ bytes: UnsafeRawBufferPointer, _ offload: NetOffload) {
    if bytes.count < 42 { return }
    var frame = Frame(bytes: Array(bytes))
    switch frame.get(12, 2) {
    case 0x0806: receiveARP(&frame)
    case 0x0800: receiveIP(&frame)
    default: break
    }
  }

  private func answer(_ frame: inout Frame, _ length: Int) {
    frame.copy(6, to: 0, 6)
    frame.bytes.replaceSubrange(6..<12, with: address)
    // What there is no room for is lost, as on any wire.
    frame.bytes.withUnsafeBytes { bytes in
      try? send([UnsafeRawBufferPointer(rebasing: bytes[..<length])])
    }
  }

  private func receiveARP(_ frame: inout Frame) {
    if frame.get(20, 2) != 1 || frame.get(38, 4) != ip { return }
    arps += 1
    frame.put(20, 2, 2)
    frame.copy(22, to: 32, 10)  // the asker becomes the target
    frame.bytes.replaceSubrange(22..<28, with: address)
    frame.put(28, 4, ip)
    answer(&frame, 42)
  }

  private func receiveIP(_ frame: inout Frame) {
    let header = Int(frame.get(14, 1) & 15) * 4
    let total = Int(frame.get(16, 2))
    let payload = 14 + header
    if frame.get(14, 1) >> 4 != 4 || header < 20 || total < header + 8
      || total > frame.bytes.count - 14 || frame.get(30, 4) != ip
      || frame.get(20, 2) & 0x3fff != 0
    {
      return
    }
    if frame.get(23, 1) == 1, frame.get(payload, 1) == 8 {
      pings += 1
      frame.put(payload, 1, 0)
      frame.sum(payload, total - header, into: payload + 2)
    } else if frame.get(23, 1) == 17, frame.get(payload + 2, 2) == 7 {
      datagrams += 1
      let text = frame.bytes[(payload + 8)..<(14 + total)]
      if text.starts(with: ("end" as Text).bytes) { isToldToEnd = true }
      frame.copy(payload, to: payload + 2, 2)
      frame.put(payload, 2, 7)
      frame.put(payload + 6, 2, 0)  // no checksum
    } else {
      others += 1
      return
    }
    frame.copy(26, to: 30, 4)
    frame.put(26, 4, ip)
    frame.sum(14, header, into: 24)
    answer(&frame, 14 + total)
  }
}

/// Numbers in a frame, the most significant byte first.
///
/// Whoever reads or writes has seen to the length.
private struct Frame {
  var bytes: [UInt8]

  func get(_ at: Int, _ count: Int) -> UInt64 {
    bytes[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func put(_ at: Int, _ count: Int, _ value: UInt64) {
    for index in 0..<count {
      bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - index)))
    }
  }

  mutating func copy(_ from: Int, to: Int, _ count: Int) {
    for index in 0..<count { bytes[to + index] = bytes[from + index] }
  }

  /// Puts the Internet checksum (RFC 1071) of bytes into their midst.
  mutating func sum(_ at: Int, _ count: Int, into place: Int) {
    put(place, 2, 0)
    var sum: UInt64 = 0
    for index in 0..<count { sum += UInt64(bytes[at + index]) << (index % 2 == 0 ? 8 : 0) }
    while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
    put(place, 2, ~sum & 0xffff)
  }
}

private func options() -> NetOptions {
  var options = NetOptions()
  options.queues = UInt32(clamping: Words.number("queues=", otherwise: 1))
  options.sg = !Words.has("no-sg")
  options.checksum = !Words.has("no-checksum")
  options.gso4 = !Words.has("no-gso")
  options.gso6 = options.gso4
  options.splitEvents = !Words.has("no-split")
  return options
}

private func report(_ found: Interface) {
  say("arp ")
  say(number: found.arps)
  say(", ping ")
  say(number: found.pings)
  say(", udp ")
  say(number: found.datagrams)
  say(", other ")
  say(number: found.others)
  say("\n")
}

/// The driver's life; 0, or a negative error.
@c(xg_run) public func run() -> Int32 {
  let life = Life()
  let options = options()
  do throws(Failure) {
    try life.start([Driver(type: "vif") { Interface(bus: life.bus, path: $0, options: options) }])
  } catch {
    return -error.number
  }
  life.check("an interface", life.serve(seconds: 30) { Interface.found != nil })
  if let found = Interface.found {
    found.ip = Words.number("ip=", otherwise: 167_772_687)
    say(number: UInt64(found.queueCount))
    say(" queues", found.hasSG ? ", sg" : "", found.hasChecksum ? ", checksum" : "")
    say(found.hasGSO4 ? ", gso4" : "", found.hasSplitEvents ? ", split events\n" : "\n")
    life.serve(seconds: Words.number("seconds=", otherwise: 30)) { found.isToldToEnd }
    report(found)
    let frames = found.arps + found.pings + found.datagrams + found.others
    life.check("frames came", frames > 0)
  }
  life.bus.stop()
  life.serve(seconds: 5) { life.grants.used == 0 }
  life.check("every grant came back", life.grants.used == 0)
  life.end()
  return 0
}
