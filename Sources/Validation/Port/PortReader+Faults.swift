// Checks that let backends misbehave: which faults there are, and by which names many go together.

import ABISchema
import ControlFaults
import Yams

/// Faults that a PORT.yaml names together.
enum FaultGroup: String, CaseIterable {
  /// Requests that are answered with an error.
  case errors
  /// Answers that come late.
  case delays
  /// Backends that die and begin anew.
  case restarts
  /// Events that never come.
  case lostEvents = "lost-events"
  /// Events that nobody waits for yet.
  case earlyEvents = "early-events"
  /// Memory that is asked for, and given again in part.
  case memoryPressure = "memory-pressure"
  /// A time of day that jumps.
  case clockJumps = "clock-jumps"
  /// The domain is asked to suspend, and that is called off.
  case suspend
  /// The domain is asked to suspend, and goes on as a new one.
  case resume

  /// The faults, as the control domain names them.
  var members: [String] {
    switch self {
    case .errors: ["block:error", "net:tx-error", "net:rx-error", "store:error"]
    case .delays: ["block:late", "net:tx-late", "store:late", "console:late"]
    case .restarts: ["block:restarts", "net:restarts"]
    case .lostEvents: ["block:no-events", "net:no-events"]
    case .earlyEvents: ["block:event-storm", "net:event-storm", "console:event-storm"]
    case .memoryPressure, .clockJumps, .suspend, .resume: ["domain:\(rawValue)"]
    }
  }
}

extension PortReader {
  /// A check that injects what its list names, one boot for each.
  func faults(_ map: MapReader, _ machine: PortMachine) -> CheckBody? {
    guard map.has("inject") else {
      sink.error(
        map.position, "expected `inject`, a list of faults, found no such key here",
        hint: "xenograft boot --list-faults prints them; "
          + FaultGroup.allCases.map(\.rawValue).joined(separator: ", ") + " are groups of them")
      return nil
    }
    var check = FaultsCheck(lines: patterns(map, "lines"))
    for node in map.list("inject") {
      for name in inject(node, machine) where !check.inject.contains(name) {
        check.inject.append(name)
      }
    }
    check.timeout = number(map, "timeout", in: Self.timeouts)
    check.commandLine = line(map, "cmdline")
    return .faults(check)
  }

  /// A backend that dies and begins anew while it is in use.
  func restart(_ map: MapReader, _ machine: PortMachine) -> CheckBody? {
    let device: FaultDevice =
      map.choice("device") ?? (machine.disks.isEmpty && machine.hasNetwork ? .net : .block)
    guard device == .block ? !machine.disks.isEmpty : machine.hasNetwork else {
      sink.error(
        map.position,
        device == .block
          ? "expected `disks` for a backend that restarts, found none"
          : "expected `network: true` for a backend that restarts, found none")
      return nil
    }
    let times = integer(map, "times", in: 1...100)
    var check = FaultsCheck(lines: patterns(map, "lines"))
    check.inject = ["\(device.rawValue):restarts" + (times.map { ":count=\($0)" } ?? "")]
    check.timeout = number(map, "timeout", in: Self.timeouts)
    check.commandLine = line(map, "cmdline")
    return .restart(check)
  }

  /// The faults that an element of `inject` stands for, as far as the port has the devices.
  private func inject(_ node: Node, _ machine: PortMachine) -> [String] {
    let place = node.position(in: file)
    guard case .scalar(let scalar) = node, !node.isNull else {
      sink.error(place, "expected a fault's name in `inject`, found \(node.kindName)")
      return []
    }
    let text = scalar.string
    if let group = FaultGroup(rawValue: text) {
      let members = group.members.filter { missingDevice(of: $0, machine) == nil }
      if members.isEmpty {
        sink.error(
          place, "expected `disks` or `network: true` for `\(text)`, found neither in the port")
      }
      return members
    }
    // A domain's number in front would be the only guest's anyway.
    guard FaultPlan(Array(text.utf8)) != nil, text.utf8.first.map({ $0 >= 0x41 }) == true else {
      let names = Fault.all.map { "\($0.target.name):\($0.name)" }
      let groups = FaultGroup.allCases.map(\.rawValue)
      sink.error(
        place,
        "expected TARGET:NAME[:every=N][:count=N] or a group's name in `inject`, found `\(text.prefix(40))`",
        hint: NearNames.hint(text, in: names + groups) ?? "xenograft boot --list-faults prints them"
      )
      return []
    }
    if let missing = missingDevice(of: text, machine) {
      sink.error(place, "expected `\(missing)` in the port for `\(text)`, found none")
      return []
    }
    return [text]
  }

  private func missingDevice(of fault: String, _ machine: PortMachine) -> String? {
    if fault.hasPrefix("block:"), machine.disks.isEmpty { return "disks" }
    if fault.hasPrefix("net:"), !machine.hasNetwork { return "network: true" }
    return nil
  }
}

/// A device whose backend can be restarted.
enum FaultDevice: String, CaseIterable {
  case block
  case net
}
