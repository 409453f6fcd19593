// The gate of `xenograft audit`: baseline, suppressions, trace and the verdict.

import ArgumentParser
import Audit

struct GateOptions: ParsableArguments {
  @Option(help: "Compare with this baseline.", completion: .file())
  var baseline: String?

  @Option(help: "Write what was found as a baseline.", completion: .file())
  var writeBaseline: String?

  @Option(help: "Exit with 1 on findings that are: never, new, silent, replace or any.")
  var failOn: String = "never"

  @Option(help: "A trace of `xenograft boot --trace`, which says what ran.", completion: .file())
  var trace: String?

  @Option(help: "A YAML file of findings that are accepted, with reasons.", completion: .file())
  var suppress: String?
}

/// What the gate reads before the audit begins, so that a bad file is told at once.
struct GateInputs {
  init(_ options: GateOptions) throws {}
  func apply(to result: inout AuditResult) throws {}
  func writeBaseline(_ result: AuditResult) throws {}
  func passes(_ result: AuditResult) -> Bool { true }
}
