// The page that a person reads first: what broke, where, and which file shows more of it.

/// Words on a failed port.
struct SummaryText {
  private static let mostChecks = 20

  let report: PortReport
  let files: [String]

  var text: String {
    let failed = report.checks.filter { $0.status == .failed }
    var lines = [
      "\(report.name) on \(report.hypervisor): \(failed.count) of \(report.checks.count) checks failed",
      "",
    ]
    for check in failed.prefix(Self.mostChecks) {
      lines.append("\(check.name): \(check.message)")
      if let place = check.places.first(where: { $0.file != nil }), let file = place.file {
        lines.append("  \(file)" + (place.line.map { ":\($0)" } ?? ""))
      }
    }
    if failed.count > Self.mostChecks {
      lines.append("… and \(failed.count - Self.mostChecks) more")
    }
    lines.append("")
    lines += files.compactMap { name in
      let base = name.split(separator: "/").last.map(String.init) ?? name
      return Self.words[base].map { "\(name): \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let words = [
    "console.txt": "what the guest printed",
    "hypervisor.log": "what the hypervisor and domain 0 said",
    "boot.json": "the verdict, times, hypercalls, as `xenograft boot --format json` has them",
    "traps.json": "privileged instructions that were emulated, for `xenograft audit --trace`",
    "crash.txt": "where it crashed: source lines, callers, registers",
    "hang.txt": "what its vcpus did shortly before the time was over",
    "build.log": "what the build command printed",
  ]
}
