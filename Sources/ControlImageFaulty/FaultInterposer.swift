// The faults between the services and their guests: rings, ports and pages by way of FaultBox, keys and
// states of devices by way of the store.

import ControlCore
import ControlDomain
import ControlFaults
import GuestRuntime

/// What stands between the services and guests that have a fault.
final class FaultInterposer: Interposer {
  private let box: FaultBox
  private let plans: [FaultPlan]
  private let domains: DomainFaults
  private var test: SelfTest?
  private var disks: [DiskPlan] = []
  private var interfaces: [InterfacePlan] = []
  /// From the first turn on, which comes before any guest has a device.
  private var services: Services?
  /// Values that are written into the state of a device, one in each tick.
  private var dances: [(path: StorePath, states: [StaticString])] = []
  /// Interfaces that were unplugged, and when they are plugged in again.
  private var unplugged: [(plan: InterfacePlan, isGone: Bool, due: UInt64)] = []

  /// How often the loop wakes for what is late.
  private static var tick: UInt64 { 10_000_000 }
  /// How long an interface stays away.
  private static var absence: UInt64 { 300_000_000 }

  override init() {
    var plans: [FaultPlan] = []
    for text in Guest.options("fault=") {
      if let plan = FaultPlan(text) {
        plans.append(plan)
        say("fault ").bytes(text).end()
      } else {
        say("cannot be understood: fault=").bytes(text).end()
      }
    }
    self.plans = plans
    box = FaultBox(plans)
    domains = DomainFaults(plans)
    for text in Guest.options("vbd=") { if let plan = DiskPlan(text) { disks.append(plan) } }
    for text in Guest.options("vif=") {
      if let plan = InterfacePlan(text) { interfaces.append(plan) }
    }
    super.init()
    wake()
  }

  override func takesOver(_ devices: Devices) -> Bool {
    guard Guest.hasOption("selftest") else { return false }
    let test = SelfTest(devices)
    test.start()
    self.test = test
    return true
  }

  private func wake() {
    Events.after(Self.tick) { [self] in wake() }
  }

  override func mapped(
    _ pages: [MappedPage], of domain: DomainID, isNetwork: Bool, isRing: Bool
  ) -> [MappedPage] {
    box.mapped(
      pages, of: domain, isNetwork ? .net : .block, isRing: isRing, layout: layout(of: domain))
  }

  /// How a guest lays out the rings of its disks, as it says in the store.
  private func layout(of domain: DomainID) -> BlkifLayout {
    guard let services else { return .native }
    for disk in disks where disk.domain == domain {
      let number = Bytes(decimal: disk.number)
      let front = services.toolstack.directories("vbd", number, of: domain).front
      let name = services.local.read(front.child("protocol"))
      if let name, BlkifLayout(name) == .narrow { return .narrow }
    }
    return .native
  }

  override func unmapped(_ pages: [MappedPage]) -> [MappedPage] { box.unmapped(pages) }

  override func bound(_ port: EventPort, of domain: DomainID, isNetwork: Bool) {
    box.bound(port, of: domain, isNetwork ? .net : .block)
  }

  override func unbound(_ port: EventPort) -> Bool { box.unbound(port) }

  override func sends(_ port: EventPort) -> Bool { !box.owns(port) }

  override func page(
    unsafePage page: UnsafeMutableRawPointer, of domain: DomainID, port: EventPort, isStore: Bool
  ) -> UnsafeMutableRawPointer {
    box.page(unsafePage: page, of: domain, isStore ? .store : .console, port: port)
  }

  override func forget(_ port: EventPort) { box.forget(port) }

  override func withdraws(_ domain: UInt16) -> Bool { domains.withdraws(domain) }

  override func turn(_ services: Services) -> Bool {
    self.services = services
    let round = box.pump(now: Clock.now)
    for port in round.served { services.serve(port) }
    for port in round.events { Events.notify(port.rawValue) }
    for port in round.closed { Events.close(port.rawValue) }
    if !round.unmapped.isEmpty { services.unmap(round.unmapped) }
    for strike in round.devices { carryOut(strike, services) }
    for (fault, domain) in round.news { tell(fault, domain) }
    setKeys(services)
    let hasAsked = domains.turn(services, tick: Self.tick) { tell($0, $1) }
    // What these write into the store its users are to hear of.
    let isDancing = !dances.isEmpty
    dance(services)
    return plug(services) || hasAsked || isDancing || !round.served.isEmpty
      || !round.devices.isEmpty
  }

  /// Keys that a backend has written are written anew before its guest can see them.
  private func setKeys(_ services: Services) {
    guard plans.contains(where: { $0.fault.act == .keys }) else { return }
    visitDevices(services) { target, domain, back in
      let state = services.local.read(back.child("state"))
      guard state?.equals("2") == true || state?.equals("4") == true else { return }
      for (name, value) in box.keys(target, of: domain) {
        let path = back.child(name)
        guard let old = services.local.read(path), old != value else { continue }
        services.local.write(path, value)
        for plan in plans where plan.fault.act == .keys && plan.strikes(domain) {
          if name.equals(plan.fault.key) { tell(plan.fault, domain) }
        }
      }
    }
  }

  private func tell(_ fault: Fault, _ domain: DomainID) {
    say("fault ").text(fault.target.name).text(":").text(fault.name).text(" strikes domain ")
      .decimal(domain.rawValue).end()
  }

  private func visitDevices(
    _ services: Services, _ body: (FaultTarget, DomainID, StorePath) -> Void
  ) {
    for disk in disks {
      let number = Bytes(decimal: disk.number)
      body(.block, disk.domain, services.toolstack.directories("vbd", number, of: disk.domain).back)
    }
    for one in interfaces {
      let number = Bytes(decimal: one.number)
      body(.net, one.domain, services.toolstack.directories("vif", number, of: one.domain).back)
    }
  }

  private func carryOut(_ strike: DeviceStrike, _ services: Services) {
    let states: [StaticString]
    switch strike.act {
    case .restarts:
      say("restarts").end()
      return services.restart(isNetwork: strike.target == .net)
    case .replugged:
      for plan in interfaces where plan.domain == strike.domain {
        services.toolstack.unplug("vif", plan.number, of: plan.domain)
        unplugged.append((plan, false, 0))
        say("unplugs").end()
      }
      return
    case .closes: states = ["5"]
    case .vanishes: states = ["6"]
    case .stateUnknown: states = ["99"]
    default: states = ["3", "4", "2", "4", "5", "4", "1"]
    }
    visitDevices(services) { target, domain, back in
      if target == strike.target, domain == strike.domain {
        dances.append((back.child("state"), states))
      }
    }
  }

  /// One step of each dance.
  private func dance(_ services: Services) {
    for index in dances.indices {
      services.local.write(dances[index].path, Bytes(dances[index].states.removeFirst()))
    }
    dances.removeAll { $0.states.isEmpty }
  }

  /// Plugs interfaces in again that have been away long enough; whether it wrote anything.
  private func plug(_ services: Services) -> Bool {
    var isAny = false
    for index in unplugged.indices {
      let plan = unplugged[index].plan
      if !unplugged[index].isGone,
        services.toolstack.forget("vif", plan.number, of: plan.domain)
      {
        isAny = true
        unplugged[index].isGone = true
        unplugged[index].due = Clock.now &+ Self.absence
      }
    }
    let now = Clock.now
    for one in unplugged where one.isGone && one.due <= now {
      isAny = true
      services.toolstack.add(one.plan)
      say("plugs in again").end()
    }
    unplugged.removeAll { $0.isGone && $0.due <= now }
    return isAny
  }
}
