// Takes dead domains apart, a little at a time, on whichever CPU comes by; and ends the machine's run
// when nobody is left to wait for. What a domain had must all come back: that is counted.

import CMachine
import HypervisorCore

/// The end of domains' frames, ports and references.
enum Reaper {
  // SAFETY: under the core lock, but for reads of `waiting` that may be late.
  nonisolated(unsafe) private static var waiting = 0
  /// Domains whose frames somebody else still holds, and when to look again.
  nonisolated(unsafe) private static var lingering = 0
  nonisolated(unsafe) private(set) static var retryTime = UInt64.max
  /// How many domains have not ended.
  nonisolated(unsafe) private static var living = 0
  /// Frames that were free before the first domain was built.
  nonisolated(unsafe) private static var freeAtStart: UInt64 = 0
  nonisolated(unsafe) private static var firstReason: UInt32 = 0
  nonisolated(unsafe) private static var isFirstGone = false

  /// While domains wait for their end and others run: how long between two steps.
  static let interval: UInt64 = 1_000_000
  /// Between two looks at a domain whose frames somebody else holds.
  private static let patience: UInt64 = 50_000_000
  /// Frames looked at in one step.
  private static let budget: UInt64 = 2048

  /// Whether some domain waits to be taken apart.
  static var isNeeded: Bool { waiting != 0 }

  /// Notes the free frames, before domains are built.
  static func start() { freeAtStart = Host.hypervisor.state.pointee.freeCount }

  /// A domain has begun to run.
  static func noteStart() { living += 1 }

  /// A domain has ended; the core lock is held.
  static func expect(_ domain: DomainPointer, reason: UInt32) {
    waiting += 1
    if domain.pointee.id.rawValue == 0 { firstReason = reason }
  }

  /// Lets domains be looked at again whose frames somebody else held.
  static func retry(now: UInt64) {
    guard now >= retryTime else { return }
    withCore {
      waiting += lingering
      lingering = 0
      retryTime = .max
      for slot in 0..<Host.hypervisor.domains.capacity {
        guard let domain = Host.hypervisor.domains[slot], domain.pointee.context != nil else {
          continue
        }
        domain.pointee.guest.pointee.isLingering = false
      }
    }
  }

  /// One step; another CPU may be at it already.
  static func step() {
    withCore {
      let hypervisor = Host.hypervisor
      for slot in 0..<hypervisor.domains.capacity {
        guard let domain = hypervisor.domains[slot], domain.pointee.context != nil,
          domain.pointee.guest.pointee.ending != nil,
          !domain.pointee.guest.pointee.isLingering, !Switch.runs(domain)
        else { continue }
        takeApart(domain, hypervisor)
        break
      }
    }
  }

  private static func takeApart(_ domain: DomainPointer, _ hypervisor: Hypervisor<MetalMachine>) {
    for index in 0..<domain.pointee.vcpuCount {
      LoadedTables.forget(domain.pointee.vcpus[index].pointee.guest)
    }
    hypervisor.beginDeath(of: domain)
    do throws(MemoryError) {
      try hypervisor.continueDeath(of: domain, budget: budget)
    } catch {
      return
    }
    let count = domain.pointee.vcpuCount
    let state = domain.pointee.context
    let id = domain.pointee.id.rawValue
    guard hypervisor.finishDeath(of: domain), let state else {
      domain.pointee.guest.pointee.isLingering = true
      waiting -= 1
      lingering += 1
      retryTime = Host.clock.now &+ patience
      // Who keeps a grant of domain 0 mapped does not keep the machine from its end.
      if id == 0 { isFirstGone = true }
      endIfDone(hypervisor)
      return
    }
    for index in 0..<count {
      Switch.remove(GuestDomain.vcpuTable(in: state)[index].pointee.guest)
    }
    GuestStorage.free(state, vcpuCount: count, hypervisor)
    waiting -= 1
    living -= 1
    if id == 0 { isFirstGone = true } else { hypervisor.noteEnd(to: .control) }
    log(.debug).text("reaped: domain=").decimal(id).end()
    endIfDone(hypervisor)
  }

  /// The run ends with domain 0, or with `wait` on the command line with the last domain.
  private static func endIfDone(_ hypervisor: Hypervisor<MetalMachine>) {
    let waitsForAll = Host.boot.commandLine.hasWord("wait")
    guard living == 0 || isFirstGone && !waitsForAll else { return }
    if living == 0 {
      let free = hypervisor.state.pointee.freeCount
      let level: LogLevel = free == freeAtStart ? .info : .error
      log(level).text("balance: free-before=").decimal(freeAtStart).text(" free-after=")
        .decimal(free).text(" milliseconds=").decimal(Host.clock.now / 1_000_000).end()
    }
    Power.off(status: firstReason == 0 ? 0 : 1)
  }
}
