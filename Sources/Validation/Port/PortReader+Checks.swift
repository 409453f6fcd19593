// The checks of a PORT.yaml, kind by kind.

import ABISchema
import Audit
import Foundation
import Harness
import ImageInspection
import Yams

extension PortReader {
  /// What a check of `kind` was told; `nil` after a diagnostic.
  func body(_ kind: CheckKind, _ map: MapReader, _ machine: PortMachine) -> CheckBody? {
    switch kind {
    case .boots: return .boots(within: number(map, "within", in: Self.timeouts))
    case .console: return console(map)
    case .powersOff: return .powersOff(end: map.choice("end") ?? .poweroff)
    case .block: return block(map, machine)
    case .network: return network(map, machine)
    case .time: return time(map)
    case .strict: return .strict(allow: map.list("allow").compactMap(allowedTrap))
    case .grants: return .grants(most: integer(map, "most", in: 0...1 << 20) ?? 0)
    case .order: return .order
    case .noSilent:
      return .noSilent(target: map.choice("target"), suppress: path(map, "suppress"))
    case .audit: return audit(map)
    case .abi: return .abi(ignore: map.strings("ignore"))
    case .inspect: return inspect(map)
    case .faults: return faults(map, machine)
    case .restart: return restart(map, machine)
    case .hypervisor: return hypervisor(map, machine)
    }
  }

  private func console(_ map: MapReader) -> CheckBody? {
    guard map.has("lines") || map.has("never") else {
      sink.error(
        map.position, "expected `lines` or `never` in a check of the console, found neither")
      return nil
    }
    return .console(
      ConsoleCheck(
        lines: patterns(map, "lines"), isUnordered: map.boolean("any-order"),
        never: patterns(map, "never")))
  }

  private func block(_ map: MapReader, _ machine: PortMachine) -> CheckBody? {
    guard let first = machine.disks.first else {
      sink.error(map.position, "expected `disks` for a check of a disk, found none")
      return nil
    }
    let names = machine.disks.map(\.name)
    let disk = map.string("disk") ?? first.name
    guard names.contains(disk) else {
      sink.error(
        map.position(of: "disk"),
        "expected one of the disks \(names.joined(separator: ", ")), found `\(disk.prefix(40))`")
      return nil
    }
    var check = BlockCheck(disk: disk, lines: patterns(map, "lines"))
    check.sameAs = path(map, "same-as")
    check.isUnchanged = map.boolean("unchanged")
    if let digest = map.string("sha256") {
      let isDigest = digest.utf8.count == 64 && digest.allSatisfy(\.isHexDigit)
      guard isDigest else {
        sink.error(
          map.position(of: "sha256"),
          "expected 64 hexadecimal digits for `sha256`, found `\(digest.prefix(40))`")
        return nil
      }
      check.sha256 = digest.lowercased()
    }
    guard check.looksAtBytes || !check.lines.isEmpty || map.has("lines") || map.has("same-as")
    else {
      sink.error(
        map.position,
        "expected `lines`, `sha256`, `same-as` or `unchanged: true` in a check of a disk, found none"
      )
      return nil
    }
    return .block(check)
  }

  private func network(_ map: MapReader, _ machine: PortMachine) -> CheckBody? {
    guard machine.hasNetwork else {
      sink.error(map.position, "expected `network: true` for a check of the network, found none")
      return nil
    }
    var check = NetworkCheck()
    check.transport = map.choice("protocol") ?? .tcp
    let isHTTP = check.transport == .http
    guard let port = integer(map, "port", in: 1...65535) ?? (isHTTP && !map.has("port") ? 80 : nil)
    else {
      if !map.has("port") {
        sink.error(
          map.position, "expected `port`, the guest's, in a check of the network, found none")
      }
      return nil
    }
    for key in isHTTP ? ["send"] : ["path", "status"] where map.has(key) {
      sink.error(
        map.position(of: key),
        "expected `\(key)` with \(isHTTP ? "tcp or udp" : "http") only, found it with "
          + check.transport.rawValue)
    }
    check.port = port
    check.send = line(map, "send")
    check.path = map.string("path") ?? check.path
    if !check.path.hasPrefix("/") || check.path.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) {
      sink.error(
        map.position(of: "path"),
        "expected a path that begins with `/` and has no blank, found `\(check.path.prefix(40))`")
    }
    check.expect = pattern(map, "expect")
    check.status = integer(map, "status", in: 100...599) ?? check.status
    check.after = pattern(map, "after")
    check.within = number(map, "within", in: Self.timeouts) ?? check.within
    if check.transport == .udp, check.send == nil {
      sink.error(map.position, "expected `send`, the datagram, with udp, found none")
      return nil
    }
    return .network(check)
  }

  private func time(_ map: MapReader) -> CheckBody? {
    guard let pattern = map.string("pattern", required: true) else { return nil }
    // An empty line tells how many groups there are only where it matches; the compiler knows.
    guard (try? Regex(pattern)) != nil, pattern.contains("(") else {
      sink.error(
        map.position(of: "pattern"),
        "expected a regular expression with a group around the number, found `\(pattern.prefix(40))`",
        hint: #"'uptime (\d+) ms'"#)
      return nil
    }
    var check = TimeCheck(pattern: pattern)
    check.unit = map.choice("unit") ?? check.unit
    check.samples = integer(map, "samples", in: 2...1000) ?? check.samples
    check.tolerance = number(map, "tolerance", in: 0.01...0.99)
    return .time(check)
  }

  private func allowedTrap(_ node: Node) -> AllowedTrap? {
    if case .scalar(let scalar) = node, !node.isNull { return AllowedTrap(rule: scalar.string) }
    guard
      let map = MapReader(
        node, what: "`allow`", keys: PortKeys.allow, file: file, sink: sink)
    else { return nil }
    return AllowedTrap(
      rule: map.string("rule"), function: map.string("function"), file: map.string("file"),
      most: integer(map, "most", in: 0...Int.max))
  }

  private func audit(_ map: MapReader) -> CheckBody? {
    var check = AuditCheck(target: map.choice("target"), baseline: path(map, "baseline"))
    check.failOn = map.choice("fail-on") ?? check.failOn
    check.suppress = path(map, "suppress")
    if check.failOn == .new, !map.has("baseline") {
      sink.error(
        map.position, "expected `baseline`, a file, for an audit, found none",
        hint: "xenograft audit --write-baseline FILE writes one; or fail-on: silent, replace, any")
      return nil
    }
    if check.failOn == .never {
      sink.error(
        map.position(of: "fail-on"),
        "expected new, silent, replace or any for `fail-on`, found `never`, which is no check")
      return nil
    }
    return .audit(check)
  }

  private func inspect(_ map: MapReader) -> CheckBody? {
    guard map.has("protocol") else { return .inspect(bootProtocol: nil) }
    let named: BootProtocol? = map.choice("protocol")
    return named.map { .inspect(bootProtocol: $0) }
  }

  private func hypervisor(_ map: MapReader, _ machine: PortMachine) -> CheckBody? {
    let other: HypervisorKind = machine.hypervisor == .rootstock ? .xen : .rootstock
    var check = HypervisorCheck(kind: map.choice("on") ?? other)
    guard check.kind != machine.hypervisor else {
      sink.error(
        map.position(of: "on"),
        "expected `\(other.rawValue)`, since the port itself runs on \(machine.hypervisor.rawValue), found the same"
      )
      return nil
    }
    check.hasSameConsole = map.boolean("same-console")
    check.ignore = patterns(map, "ignore")
    check.mask = patterns(map, "mask")
    check.timeout = number(map, "timeout", in: Self.timeouts)
    return .hypervisor(check)
  }
}
