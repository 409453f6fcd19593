// Validates one port: builds it, looks at its image, boots it as often as its checks need, judges.

import ABISchema
import Foundation
import Harness

/// What a validation is told beside the PORT.yaml.
public struct ValidationOptions: Sendable {
  /// Names of checks; all where there is none.
  public var only: [String] = []
  /// Boots and image checks that may go on at once.
  public var jobs = 1
  /// Folder for what a failure leaves; `.xenograft` beside the PORT.yaml without it.
  public var artefacts: String?
  public var images = ImagePaths()
  /// Called with what is done next.
  public var progress: @Sendable (String) -> Void = { _ in }

  public init() {}
}

/// Validates ports.
public struct Validator: Sendable {
  let port: Port
  let options: ValidationOptions
  private let checks: [Check]

  /// A validator of `port`.
  public init(_ port: Port, options: ValidationOptions) {
    self.port = port
    self.options = options
    checks = port.checks.filter { options.only.isEmpty || options.only.contains($0.name) }
  }

  /// Runs everything that was chosen.
  public func run() async -> PortReport {
    let start = ContinuousClock.now
    var report = PortReport(
      file: port.file, name: port.name, kernel: port.kernel.text,
      hypervisor: port.machine.hypervisor.rawValue)
    report.began = Date().timeIntervalSince1970
    let shelf = ArtefactShelf(port: port, folder: options.artefacts)
    shelf.clear()
    let build = await self.build()
    if let build {
      report.checks.append(
        CheckReport(
          name: "build", position: port.build?.position ?? port.kernel.position, kind: "build",
          build.outcome,
          seconds: build.seconds))
    }
    var runs: [BootRun] = []
    if let build, build.outcome.status == .failed {
      report.checks += checks.map { skipped($0, "the build failed") }
    } else if let first = missingFiles.first {
      report.faults = missingFiles
      report.checks += checks.map { skipped($0, first.message) }
    } else {
      let results = await Workshop(port: port, checks: checks, options: options).run()
      report.checks += results.reports
      runs = results.runs
      report.faults = results.runs.compactMap(fault)
      report.missing = results.runs.first { $0.name == JobPlan.own }.flatMap(missing)
    }
    report.seconds = (ContinuousClock.now - start) / .seconds(1)
    shelf.keep(&report, runs: runs, build: build)
    return report
  }

  private func build() async -> BuildOutcome? {
    guard let command = port.build else { return nil }
    options.progress("\(port.name): \(command.command)")
    return await BuildStep(command: command, folder: port.folder).run()
  }

  private func skipped(_ check: Check, _ reason: String) -> CheckReport {
    CheckReport(
      name: check.name, position: check.position, kind: check.kind.rawValue, .skipped(reason),
      seconds: 0)
  }

  /// Files that the port and the chosen checks name and that are not there, after the build.
  private var missingFiles: [Diagnostic] {
    let hint =
      port.build == nil
      ? "build it before, or give its command as `build`" : "`build` does not make it"
    var files: [(path: PortPath?, what: String)] = [
      (port.kernel, "a kernel"), (port.machine.initrd, "a ramdisk"),
    ]
    for disk in port.machine.disks {
      if case .file(let path) = disk.contents { files.append((path, "a disk")) }
    }
    for check in checks {
      switch check.body {
      case .block(let block): files.append((block.sameAs, "a file to compare with"))
      case .noSilent(_, let suppress): files.append((suppress, "accepted findings"))
      case .audit(let audit):
        files.append((audit.baseline, "a baseline"))
        files.append((audit.suppress, "accepted findings"))
      default: break
      }
    }
    return files.compactMap { path, what in
      guard let path, let found = Self.fault(of: path.path) else { return nil }
      return Diagnostic(
        at: path.position, "expected \(what) at \(path.path), found \(found)",
        hint: what == "a kernel" ? hint : nil)
    }
  }

  /// Why a file cannot be used; `nil` where it can.
  private static func fault(of path: String) -> String? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return "no file"
    }
    if isFolder.boolValue { return "a folder" }
    return FileManager.default.isReadableFile(atPath: path) ? nil : "one that cannot be read"
  }

  /// Input that a boot could not use.
  private func fault(_ run: BootRun) -> Diagnostic? {
    if case .input(let path, let found)? = run.preparation {
      return Diagnostic(at: path.position, "expected a file at \(path.path), found \(found)")
    }
    guard run.preparation == nil,
      case .failure(.input(let path, let expected, let found)) = run.result
    else { return nil }
    let known = [port.kernel, port.machine.initrd].compactMap(\.self).first { $0.path == path }
    return Diagnostic(
      at: known?.position ?? SourcePosition(file: port.file, line: 1, column: 1),
      "\(path): expected \(expected), found \(found)")
  }

  /// What this machine lacks for a boot.
  private func missing(_ run: BootRun) -> String? {
    if case .machine(let what)? = run.preparation { return "expected \(what), found none" }
    guard run.preparation == nil, case .failure(let error) = run.result, case .missing = error
    else {
      return nil
    }
    return "\(error)"
  }
}

extension CheckReport {
  init(
    name: String, position: SourcePosition, kind: String, _ outcome: CheckOutcome, seconds: Double
  ) {
    self.init(
      name: name, kind: kind, position: position, status: outcome.status, message: outcome.message,
      details: outcome.details, places: outcome.places, seconds: seconds)
  }
}
