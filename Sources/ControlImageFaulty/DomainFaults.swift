// Faults of whole domains: what a toolstack asks of them at a bad moment. The store has the requests
// (control/shutdown, memory/target), and Rootstock's control interface does the rest.

import ControlCore
import ControlDomain
import ControlFaults
import GuestRuntime

/// The domains that have such a fault.
final class DomainFaults {
  /// One domain and its fault.
  private struct Line {
    let plan: FaultPlan
    let domain: UInt16
    /// Frames that it may have.
    let frameCount: UInt64
    /// When the next step is due.
    var due: UInt64
    /// How far the fault has got: 0 before each strike.
    var step = 0
    var struck = 0
  }

  private let plans: [FaultPlan]
  private var lines: [Line] = []
  private var lastTurn: UInt64 = 0

  /// A tenth of a second.
  private static var tenth: UInt64 { 100_000_000 }
  /// How long a guest has to give memory back, and to fetch it again.
  private static var patience: UInt64 { 1_000_000_000 }
  /// By how many hours the time of day is ahead, one after the other.
  private static func hoursAhead(_ number: Int) -> Int64 {
    switch number % 4 {
    case 0: 1
    case 1: -2
    case 2: 26
    default: 0
    }
  }

  init(_ plans: [FaultPlan]) { self.plans = plans.filter { $0.fault.target == .domain } }

  /// Whether a domain is suspended, and will come back as a new one.
  func withdraws(_ number: UInt16) -> Bool {
    guard lines.contains(where: { $0.domain == number && $0.plan.fault.act == .resumes }) else {
      return false
    }
    return Domains.list().contains { $0.number == number && $0.isSuspended }
  }

  /// Does what is due, once in a tick; whether it wrote into the store.
  func turn(_ services: Services, tick: UInt64, _ tell: (Fault, DomainID) -> Void) -> Bool {
    let now = Clock.now
    guard !plans.isEmpty, now &- lastTurn >= tick else { return false }
    lastTurn = now
    var hasWritten = false
    let all = Domains.list()
    lines.removeAll { line in !all.contains { $0.number == line.domain && !$0.hasEnded } }
    for domain in all where !domain.hasEnded {
      enter(domain, now)
      for index in lines.indices where lines[index].domain == domain.number {
        let before = lines[index].struck
        if step(&lines[index], domain, services, now) { hasWritten = true }
        if before == 0, lines[index].struck > 0 {
          tell(lines[index].plan.fault, DomainID(domain.number))
        }
      }
    }
    return hasWritten
  }

  private func enter(_ domain: OtherDomain, _ now: UInt64) {
    guard !lines.contains(where: { $0.domain == domain.number }),
      let plan = plans.first(where: { $0.strikes(DomainID(domain.number)) })
    else { return }
    if plan.fault.act == .suspends || plan.fault.act == .resumes {
      Domains.keepSuspended(domain.number)
    }
    lines.append(
      Line(
        plan: plan, domain: domain.number, frameCount: domain.frameCount,
        due: now &+ UInt64(plan.every) &* Self.tenth))
  }

  private func step(
    _ line: inout Line, _ domain: OtherDomain, _ services: Services, _ now: UInt64
  ) -> Bool {
    guard line.plan.count == 0 || line.struck < line.plan.count else { return false }
    switch line.plan.fault.act {
    case .suspends, .resumes: return suspend(&line, domain, services, now)
    case .clockJumps:
      guard now >= line.due else { return false }
      Domains.shiftClock(line.domain, by: Self.hoursAhead(line.struck) * 3600)
      strike(&line, now)
      return false
    case .memoryPressure: return press(&line, domain, services, now)
    default: return false
    }
  }

  private func strike(_ line: inout Line, _ now: UInt64) {
    line.struck += 1
    line.step = 0
    line.due = now &+ UInt64(line.plan.every) &* Self.tenth
  }

  /// Asks it to suspend, and lets it go on as soon as it has.
  private func suspend(
    _ line: inout Line, _ domain: OtherDomain, _ services: Services, _ now: UInt64
  ) -> Bool {
    if domain.isSuspended {
      let isNew = line.plan.fault.act == .resumes
      // As a new one it goes on once all that others used of it has come back.
      guard Domains.resume(line.domain, asNew: isNew) else { return false }
      strike(&line, now)
      // Who is to be served anew begins when it is.
      if !isNew { Domains.begin(line.domain) }
      return false
    }
    guard line.step == 0, now >= line.due else { return false }
    line.step = 1
    let home = StorePath.home(of: DomainID(line.domain))
    services.local.write(home.child("control").child("shutdown"), Bytes("suspend"))
    return true
  }

  /// Asks for memory, gives half of it again, and then all.
  private func press(
    _ line: inout Line, _ domain: OtherDomain, _ services: Services, _ now: UInt64
  ) -> Bool {
    let quarter = line.frameCount / 4
    switch line.step {
    case 0:
      guard now >= line.due else { return false }
      line.due = now &+ Self.patience
      setTarget(line.frameCount - quarter, line.domain, services)
    case 1:
      // A guest that gives nothing back is asked for ever, and the fault has not struck.
      guard domain.heldCount < line.frameCount,
        now >= line.due || domain.heldCount <= line.frameCount - quarter
      else { return false }
      Domains.limit(line.domain, to: domain.heldCount + (line.frameCount - domain.heldCount) / 2)
      line.due = now &+ Self.patience
      setTarget(line.frameCount, line.domain, services)
    default:
      guard now >= line.due else { return false }
      Domains.limit(line.domain, to: line.frameCount)
      // Told once more, so that a guest that has given up tries again.
      setTarget(line.frameCount, line.domain, services)
      strike(&line, now)
      return true
    }
    line.step += 1
    return true
  }

  private func setTarget(_ frames: UInt64, _ domain: UInt16, _ services: Services) {
    let path = StorePath.home(of: DomainID(domain)).child("memory").child("target")
    services.local.write(path, Bytes(decimal: frames * 4))
  }
}
