// Which boots a port needs: one for all checks that can share it, and one for each fault and for the
// other hypervisor.

import Foundation
import Harness

/// Images in place of those beside the command.
public struct ImagePaths: Sendable {
  public var rootstock: String?
  public var xen: String?
  /// The control domain's image, or on Xen the folder with domain 0's files.
  public var controlDomain: String?

  public init() {}
}

/// Lays out a port's boots.
struct JobPlan {
  /// What the port's own boot is called.
  static let own = "own"

  let port: Port
  /// Those that were chosen.
  let checks: [Check]
  let images: ImagePaths

  /// The port's own boot; `nil` where no check needs it.
  var ownJob: BootJob? {
    let needs = checks.contains { check in
      if case .hypervisor = check.body { return true }
      return !check.kind.isOfImage && !check.kind.hasOwnBoots
    }
    guard needs else { return nil }
    var job = baseJob(named: Self.own)
    watch(&job)
    for check in checks {
      switch check.body {
      case .network(let question): job.questions.append((check.name, question))
      case .block(let block) where block.looksAtBytes:
        job.comparedDisks.append((check.name, block.disk, block))
      case .strict(let allow) where allow.isEmpty && !endsByItself && !countsGrants:
        // Without an end there is no record; then the first trap is to end it.
        job.request.policy = .strict
      default: break
      }
    }
    job.request.watchesOrder = checks.contains { $0.kind == .order }
    job.awaitsEnd = endsByItself || countsGrants || hasAllowance || job.request.watchesOrder
    return job
  }

  /// The boots of a check that has its own, with what they inject.
  func jobs(of check: Check) -> [(label: String, fault: String, job: BootJob)] {
    switch check.body {
    case .faults(let faults), .restart(let faults):
      return faults.inject.map { fault in
        var job = baseJob(named: "\(check.name): \(fault)")
        // Stock Xen's domain 0 has no faults.
        job.request.hypervisor = .rootstock
        job.request.hypervisorImage = images.rootstock
        job.request.controlDomainImage = images.controlDomain
        job.request.faults = [fault]
        if let timeout = faults.timeout { job.request.timeout = Self.duration(timeout) }
        if let line = faults.commandLine { job.request.commandLine = line }
        job.watches.lines[check.name] = (faults.lines, false, [])
        job.awaitsEnd = endsByItself
        return (faults.inject.count == 1 ? check.name : job.name, fault, job)
      }
    case .hypervisor(let other):
      var job = baseJob(named: check.name)
      job.request.hypervisor = other.kind
      job.request.hypervisorImage = other.kind == .xen ? images.xen : images.rootstock
      if let timeout = other.timeout { job.request.timeout = Self.duration(timeout) }
      watch(&job)
      for check in checks {
        if case .network(let question) = check.body { job.questions.append((check.name, question)) }
      }
      job.awaitsEnd = ownJob?.awaitsEnd ?? endsByItself
      return [(check.name, "", job)]
    default: return []
    }
  }

  /// Some check of the file, chosen or not, says that the guest ends by itself.
  private var endsByItself: Bool { port.checks.contains { $0.kind == .powersOff } }
  private var countsGrants: Bool { checks.contains { $0.kind == .grants } }
  private var hasAllowance: Bool {
    checks.contains { check in
      if case .strict(let allow) = check.body { return !allow.isEmpty }
      return false
    }
  }

  private func baseJob(named name: String) -> BootJob {
    let machine = port.machine
    var request = BootRequest(kernel: port.kernel.path)
    request.initrd = machine.initrd?.path
    request.commandLine = machine.commandLine
    request.memory = machine.memory
    request.vcpus = machine.vcpus
    request.processors = machine.processors
    request.timeout = Self.duration(machine.timeout)
    request.hypervisor = machine.hypervisor
    request.acceleration = machine.acceleration
    request.tellsWhereabouts = true
    request.network = machine.hasNetwork ? GuestNetwork() : nil
    request.hypervisorImage = machine.hypervisor == .xen ? images.xen : images.rootstock
    request.controlDomainImage = images.controlDomain
    return BootJob(name: name, request: request, disks: machine.disks)
  }

  /// Lines and numbers that the chosen checks wait for.
  private func watch(_ job: inout BootJob) {
    for check in checks {
      switch check.body {
      case .console(let console):
        job.watches.lines[check.name] = (console.lines, console.isUnordered, console.never)
      case .block(let block): job.watches.lines[check.name] = (block.lines, false, [])
      case .network(let question):
        if let after = question.after {
          job.watches.lines[BootJob.watchName(of: check.name)] = ([after], false, [])
        }
      case .time(let time): job.watches.times[check.name] = time
      default: break
      }
    }
  }

  private static func duration(_ seconds: Double) -> Duration {
    .milliseconds(Int64(seconds * 1000))
  }
}
