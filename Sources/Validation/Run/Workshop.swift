// The work of one port, so many pieces at once: boots, and looks at the image.

import Foundation
import Harness

/// Does the work and judges it.
struct Workshop: Sendable {
  let port: Port
  let checks: [Check]
  let options: ValidationOptions

  /// A piece of work's result.
  private enum Piece: Sendable {
    case run(key: String, BootRun)
    case image(check: String, CheckOutcome, seconds: Double)
  }

  /// Every check's report in the order of the file, and every boot.
  func run() async -> (reports: [CheckReport], runs: [BootRun]) {
    let plan = JobPlan(port: port, checks: checks, images: options.images)
    var work: [@Sendable () async -> Piece] = []
    if let job = plan.ownJob { work.append(piece(JobPlan.own, job)) }
    for check in checks where check.kind.isOfImage { work.append(look(check)) }
    for check in checks {
      for (label, _, job) in plan.jobs(of: check) { work.append(piece(label, job)) }
    }
    var runs: [String: BootRun] = [:]
    var images: [String: (CheckOutcome, Double)] = [:]
    for piece in await perform(work) {
      switch piece {
      case .run(let key, let run): runs[key] = run
      case .image(let check, let outcome, let seconds): images[check] = (outcome, seconds)
      }
    }
    let reports = checks.flatMap { judge($0, plan, runs, images) }
    return (reports, runs.values.sorted { $0.name < $1.name })
  }

  private func judge(
    _ check: Check, _ plan: JobPlan, _ runs: [String: BootRun],
    _ images: [String: (CheckOutcome, Double)]
  ) -> [CheckReport] {
    func report(_ name: String, _ outcome: CheckOutcome, _ seconds: Double) -> CheckReport {
      var report = CheckReport(
        name: name, position: check.position, kind: check.kind.rawValue, outcome, seconds: seconds)
      let paths = SourcePaths(folder: port.folder)
      for index in report.places.indices {
        report.places[index].file = report.places[index].file.map(paths.path)
      }
      return report
    }
    if let (outcome, seconds) = images[check.name] { return [report(check.name, outcome, seconds)] }
    if case .hypervisor(let other) = check.body {
      guard let own = runs[JobPlan.own], let there = runs[check.name] else { return [] }
      let judgement = HypervisorJudgement(own: own, other: there, port: port)
      return [report(check.name, judgement.judge(other), there.seconds)]
    }
    if check.kind.hasOwnBoots {
      return plan.jobs(of: check).compactMap { label, fault, _ in
        guard let run = runs[label] else { return nil }
        let judgement = FaultJudgement(run: run, port: port, check: check, fault: fault)
        return report(label, judgement.judge(), run.seconds)
      }
    }
    guard let own = runs[JobPlan.own] else { return [] }
    return [
      report(check.name, BootJudgement(run: own, port: port).judge(check), own.seconds)
    ]
  }

  private func piece(_ key: String, _ job: BootJob) -> @Sendable () async -> Piece {
    { [port, options] in
      options.progress(
        key == JobPlan.own
          ? "\(port.name): boot on \(job.request.hypervisor.rawValue)" : "\(port.name): \(job.name)"
      )
      return .run(key: key, await job.run())
    }
  }

  private func look(_ check: Check) -> @Sendable () async -> Piece {
    { [port, options] in
      options.progress("\(port.name): \(check.name)")
      let start = ContinuousClock.now
      let outcome = await offload {
        ImageChecks(kernel: port.kernel.path, memory: port.machine.memory, jobs: options.jobs)
          .judge(check)
      }
      return .image(
        check: check.name, outcome, seconds: (ContinuousClock.now - start) / .seconds(1))
    }
  }

  private func perform(_ work: [@Sendable () async -> Piece]) async -> [Piece] {
    await withTaskGroup(of: Piece.self) { group in
      var pieces: [Piece] = []
      for (index, item) in work.enumerated() {
        if index >= options.jobs, let piece = await group.next() { pieces.append(piece) }
        group.addTask { await item() }
      }
      for await piece in group { pieces.append(piece) }
      return pieces
    }
  }
}
