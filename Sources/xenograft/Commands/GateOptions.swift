// The gate of `xenograft audit`: baseline, suppressions, trace and the verdict.

public import ArgumentParser
public import Audit
import AuditReport

struct GateOptions: ParsableArguments {
  @Option(help: .value("file", "Compare with this baseline."), completion: .file())
  var baseline: String?

  @Option(help: .value("file", "Write what was found as a baseline."), completion: .file())
  var writeBaseline: String?

  @Option(
    help: .value(
      "level",
      "Exit with 1 on findings that are new (not in the baseline), silent, replace, or any."))
  var failOn: GateLevel = .never

  @Option(
    help: .value("file", "A trace of `xenograft boot --trace`, which says what ran."),
    completion: .file())
  var trace: String?

  @Option(
    help: .value("file", "A YAML file of findings that are accepted, with reasons."),
    completion: .file())
  var suppress: String?

  func validate() throws {
    if failOn == .new, baseline == nil {
      throw ValidationError("--fail-on new: expected --baseline FILE with it, found none.")
    }
  }
}

/// What the gate reads before the audit begins, so that a bad file is told at once.
struct GateInputs {
  private let options: GateOptions
  private let baseline: Baseline?
  private let trace: Trace?
  private let suppressions: SuppressionFile?

  /// Reads the files that `options` name.
  init(_ options: GateOptions) throws {
    self.options = options
    do throws(GateFileError) {
      baseline = try options.baseline.map { path throws(GateFileError) in
        try Baseline(path: path)
      }
      trace = try options.trace.map { path throws(GateFileError) in try Trace(path: path) }
      suppressions = try options.suppress.map { path throws(GateFileError) in
        try SuppressionFile(path: path)
      }
    } catch {
      throw CommandFailure.input(error.message)
    }
  }

  /// Marks findings by suppressions, trace and baseline, and tells what of those files fits nothing.
  func apply(to result: inout AuditResult) throws {
    if let suppressions {
      let report = result.apply(suppressions.suppressions, today: SuppressionFile.today())
      for entry in report.unused { tell("suppresses nothing", entry) }
      for entry in report.expired { tell("has expired and suppresses nothing", entry) }
    }
    if let trace {
      let strangers = trace.merge(into: &result)
      if !strangers.isEmpty {
        let first = String(strangers[0].address, radix: 16)
        StandardError.write(
          "xenograft: \(options.trace ?? ""): \(strangers.count) traps are at no finding, the first at 0x\(first)\n"
        )
      }
    }
    if let baseline {
      guard baseline.target == result.target else {
        throw CommandFailure.input(
          "\(options.baseline ?? ""): expected a baseline for target \(result.target.rawValue), found one for \(baseline.target.rawValue)"
        )
      }
      baseline.compare(&result)
    }
  }

  private func tell(_ fault: String, _ entry: Suppression) {
    StandardError.write(
      "xenograft: \(options.suppress ?? ""):\(entry.line): this entry \(fault): \(entry.reason)\n")
  }

  /// Writes the baseline, if asked for.
  func writeBaseline(_ result: AuditResult) throws {
    guard let path = options.writeBaseline else { return }
    try OutputFile.write(Baseline(of: result).encoded(), to: path)
  }

  /// The verdict.
  func passes(_ result: AuditResult) -> Bool {
    verdict(result, options.failOn)
  }
}

extension GateLevel: ExpressibleByArgument {}
