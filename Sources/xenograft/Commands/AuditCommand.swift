// `xenograft audit`: what in a kernel's binary assumes ring 0.

public import ArgumentParser
public import Audit
public import AuditReport
import Disassembly
import Foundation
import KernelImage

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Find every instruction of a kernel that assumes ring 0.",
    discussion: """
      Reads ELF executables, shared objects and modules (32- and 64-bit x86), Linux bzImages, PE and multiboot images, and raw \
      code with --raw and --base. Says of each finding what becomes of it as a guest, and what to write instead.

      Examples:

        xenograft audit --summary vmlinux
        xenograft audit --format html --output audit.html vmlinux
        xenograft audit --write-baseline audit.json kernel.elf
        xenograft audit --baseline audit.json --fail-on new kernel.elf
        xenograft audit --trace traps.json kernel.elf
        xenograft audit --raw 16 --base 0x7c00 boot.bin

      Exit codes: 0; 1, the gate of --fail-on fails; 2, an image or a file cannot be read.
      """)

  @Argument(help: "Images to audit.", completion: .file())
  var images: [String]

  @Option(help: "How to print.")
  var format: ReportFormat = .text

  @Option(
    help: .value("file", "Write to this file instead of standard output."), completion: .file())
  var output: String?

  @Option(
    help:
      "What the kernel is to become; by default pv64 or pv32, by the first image."
  )
  var target: Target?

  @OptionGroup(title: "Gate")
  var gate: GateOptions

  @OptionGroup(title: "Reading")
  var reading: ReadingOptions

  @OptionGroup(title: "Printing")
  var printing: PrintingOptions

  @Option(help: .value("number", "Threads that may work; by default one for each processor."))
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard !images.isEmpty else { throw ValidationError("expected at least one image, found none") }
    guard (1...256).contains(jobs) else {
      throw ValidationError("--jobs: expected a number from 1 to 256, found \(jobs).")
    }
    if reading.debugFile != nil, images.count > 1 {
      throw ValidationError("--debug-file: expected one image, found \(images.count).")
    }
  }

  func run() throws {
    var options = try auditOptions()
    for path in [output, self.gate.writeBaseline] { try OutputFile.check(path) }
    let gate = try GateInputs(self.gate)
    let matcher = Self.builtinMatcher()
    let progress = Progress(total: images.count)
    var results: [ImageResult] = []
    for path in images {
      progress.begin(path)
      do throws(AuditError) {
        let result = try ImageAuditor(matcher: matcher, options: options).audit(path: path)
        results.append(result)
        // One report has one target.
        options.target = options.target ?? ImageAuditor.defaultTarget(bits: result.bits)
      } catch {
        progress.end()
        throw CommandFailure(error)
      }
    }
    progress.end()
    var result = AuditResult(
      target: options.target ?? .pv64,
      images: results, rules: [:])
    result.keepRules(RuleBook.builtin.rules)
    try gate.apply(to: &result)
    try write(result)
    try gate.writeBaseline(result)
    guard gate.passes(result) else { throw CommandFailure.badVerdict }
  }

  private static func builtinMatcher() -> RuleMatcher {
    do throws(EncodingPatternError) {
      return try RuleMatcher(RuleBook.builtin.rules)
    } catch {
      preconditionFailure("a built-in rule has a bad pattern: \(error)")
    }
  }

  private func auditOptions() throws -> AuditOptions {
    var options = AuditOptions()
    options.target = target
    options.jobs = jobs
    options.open = try reading.openOptions()
    options.debugRoots = reading.debugRoot
    options.readsSource = !reading.noSource
    options.listsHidden = reading.hidden
    options.measuresTime = printing.timing
    return options
  }

  private func write(_ result: AuditResult) throws {
    let bytes = render(
      result, format: format, options: printing.renderOptions(toFile: output != nil))
    if let output {
      try OutputFile.write(bytes, to: output)
    } else {
      try StandardOutput.write(bytes)
    }
  }
}

extension ReportFormat: ExpressibleByArgument {}
extension Target: ExpressibleByArgument {}

extension AuditResult {
  /// Keeps the rules that findings name, which is what a report explains.
  fileprivate mutating func keepRules(_ all: [Rule]) {
    let named = Set(images.flatMap { $0.findings.map(\.rule) })
    for rule in all where named.contains(rule.id) { rules[rule.id] = rule }
  }
}
