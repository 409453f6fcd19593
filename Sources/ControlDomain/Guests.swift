// The guests: who there is, what each is given, and when all of it is over.
//
// Options of the command line, beside `vbd=`, `vif=` and `restart=` (DevicePlan.swift):
//
//     until=2        the machine is switched off when domains 1 and 2 have ended; without it, when
//                    all have
//     interactive    what is typed on the machine's console goes to domain 1, and a line of its that has
//                    begun is printed with ETB behind it
//     commands       what is typed on the machine's console are commands (Commands.swift), and a domain
//                    that suspends is written down, and waits for one

internal import CXenABI
import ControlCore
import GuestRuntime

/// The domains that this one serves.
final class Guests {
  private let services: Services
  private var disks: [DiskPlan] = []
  private var interfaces: [InterfacePlan] = []
  private var restarts: [RestartPlan] = []
  private var served: [UInt16] = []
  /// The domain up to whose number all must have ended.
  private var last = UInt16.max
  private var hasGuests = false
  private var isEnding = false
  /// What is typed, where those are commands.
  private let commands: Commands?
  /// Suspended domains that have been written down.
  private var recorded: [UInt16] = []

  /// How long dead domains are waited for: frames that somebody holds keep them.
  private static let patience: UInt64 = 2_000_000_000
  init(_ services: Services) {
    self.services = services
    commands = Guest.hasOption("commands") ? Commands(services) : nil
  }

  /// Serves those who are there, and looks again whenever one has ended.
  func start() {
    for text in Guest.options("vbd=") {
      if let plan = DiskPlan(text) { disks.append(plan) } else { refuse("vbd=", text) }
    }
    for text in Guest.options("vif=") {
      if let plan = InterfacePlan(text) { interfaces.append(plan) } else { refuse("vif=", text) }
    }
    for text in Guest.options("restart=") {
      if let plan = RestartPlan(text) { restarts.append(plan) } else { refuse("restart=", text) }
    }
    if let number = Guest.options("until=").last?.decimal {
      last = UInt16(truncatingIfNeeded: number)
    }
    if !Domains.onEnd({ [self] in look() }) {
      say("the hypervisor does not tell when domains end").end()
    }
    commands?.start()
    look()
  }

  private func refuse(_ name: StaticString, _ text: Bytes) {
    say("cannot be understood: ").text(name).bytes(text).end()
  }

  /// Compares what there is with what is served.
  private func look() {
    let all = Domains.list()
    recorded.removeAll { number in !all.contains { $0.number == number && $0.isSuspended } }
    for domain in all {
      if commands != nil, domain.isSuspended, !recorded.contains(domain.number),
        Domains.record(domain.number)
      {
        recorded.append(domain.number)
      }
      if domain.hasEnded || services.interposer.withdraws(domain.number) {
        remove(domain.number)
        if domain.hasEnded, domain.reason == UInt32(SHUTDOWN_poweroff) {
          restarts.removeAll { $0.domain == domain.number }
        }
      } else if !served.contains(domain.number) {
        add(domain)
      }
    }
    for number in served where !all.contains(where: { $0.number == number }) { remove(number) }
    for index in restarts.indices where restarts[index].times > 0 {
      let plan = restarts[index]
      if all.contains(where: { $0.number == plan.domain }) { continue }
      restarts[index].times -= 1
      // Once it is there, it is looked at like all others.
      if Domains.build(plan.domain, plan.parts) { return look() }
    }
    hasGuests = hasGuests || !all.isEmpty
    guard hasGuests, !all.contains(where: { isAwaited($0) }) else { return }
    // The dead are waited for, so that the hypervisor can tell that all they had has come back.
    if !all.contains(where: { $0.hasEnded }) { return Events.stop() }
    if !isEnding { Events.after(Self.patience) { Events.stop() } }
    isEnding = true
  }

  /// Whether the machine stays for it: it runs, or is to be built again.
  private func isAwaited(_ domain: OtherDomain) -> Bool {
    let isRestarted = restarts.contains { $0.domain == domain.number && $0.times > 0 }
    return domain.number <= last && (!domain.hasEnded || isRestarted)
  }

  private func add(_ domain: OtherDomain) {
    served.append(domain.number)
    if commands != nil { Domains.keepSuspended(domain.number) }
    defer { Domains.begin(domain.number) }
    guard domain.storePort != 0, domain.consolePort != 0 else { return }
    let id = DomainID(domain.number)
    let facts = GuestFacts(
      domain: id, memory: domain.frameCount * 4, vcpuCount: domain.vcpuCount,
      storeFrame: domain.storeFrame, storePort: domain.storePort,
      consoleFrame: domain.consoleFrame, consolePort: domain.consolePort)
    services.toolstack.enter(facts)
    for plan in disks where plan.domain == id { services.toolstack.add(plan) }
    for plan in interfaces where plan.domain == id { services.toolstack.add(plan) }
    say(services.add(facts) ? "serves domain " : "cannot serve domain ").decimal(domain.number)
      .end()
  }

  private func remove(_ number: UInt16) {
    guard let index = served.firstIndex(of: number) else { return }
    served.remove(at: index)
    services.remove(DomainID(number))
  }
}
