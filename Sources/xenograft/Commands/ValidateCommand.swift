// `xenograft validate`: whether a port holds what its PORT.yaml says.

import ABISchema
public import ArgumentParser
import Foundation
import Synchronization
public import Validation

struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Validate a port in CI: build it, audit it, boot it, judge what it does.",
    discussion: """
      PORT.yaml names the kernel, what it is given and the checks that it must pass; guides/validate.md explains each. As \
      many checks as can share one boot. What a failure leaves stands in .xenograft/NAME/ beside the PORT.yaml.

      Examples:

        xenograft validate PORT.yaml
        xenograft validate PORT.yaml --only boots --only console
        xenograft validate ports/*/PORT.yaml --format junit --output results.xml --strict-skips
        xenograft validate --schema > port.schema.json

      Exit codes: 0 no check failed; 1 one did; 2 a PORT.yaml or a file that it names cannot be used; 3 something is missing \
      on this machine for a port's own boot.
      """)

  @Argument(
    help: ArgumentHelp("What to validate.", valueName: "PORT.yaml"),
    completion: .file(extensions: ["yaml", "yml"]))
  var ports: [String] = []

  @Option(help: .value("form", "How to print: text, json, junit, tap or github."))
  var format: ValidationFormat = .text

  @Option(
    help: .value("file", "Write to this file instead of standard output."), completion: .file())
  var output: String?

  @Option(help: .value("name", "Run the checks of this name alone. Repeatable."))
  var only: [String] = []

  @Option(help: .value("number", "Boots and looks at the image that may go on at once."))
  var jobs = 1

  @Flag(help: "A check that cannot run counts as failed.")
  var strictSkips = false

  @Option(
    help: .value(
      "folder", "Folder for what a failure leaves; by default .xenograft beside each PORT.yaml."),
    completion: .directory)
  var artefacts: String?

  @Flag(help: "Print the JSON Schema of PORT.yaml, for editors, and validate nothing.")
  var schema = false

  @Option(
    name: .customLong("rootstock"),
    help: .value("file", "Rootstock's image; by default beside this command."),
    completion: .file())
  var rootstockImage: String?

  @Option(
    name: .customLong("control-domain"),
    help: .value("file", "The control domain's image; by default beside this command."),
    completion: .file())
  var controlDomainImage: String?

  @Option(
    name: .customLong("xen"),
    help: .value(
      "file", "Xen's image, packed or not; by default $XENOGRAFT_XEN, then /boot/xen-*.gz."),
    completion: .file())
  var xenImage: String?

  func validate() throws {
    guard !ports.isEmpty || schema else {
      throw ValidationError("Missing expected argument '<PORT.yaml> ...'")
    }
    guard (1...64).contains(jobs) else {
      throw ValidationError("--jobs: expected a number from 1 to 64, found \(jobs).")
    }
  }

  func run() async throws {
    if schema { return try StandardOutput.write(PortSchema.json) }
    let ports = try load()
    try OutputFile.check(output)
    let start = ContinuousClock.now
    let progress = Progress(total: ports.count)
    var options = ValidationOptions()
    options.only = only
    options.jobs = jobs
    options.artefacts = artefacts
    options.images.rootstock = rootstockImage
    options.images.xen = xenImage
    options.images.controlDomain = controlDomainImage
    options.progress = { progress.note($0) }
    var reports: [PortReport] = []
    for port in ports {
      progress.begin(port.name)
      reports.append(await Validator(port, options: options).run())
    }
    progress.end()
    let report = ValidationReport(
      ports: reports, isStrict: strictSkips, seconds: (ContinuousClock.now - start) / .seconds(1))
    try write(report)
    try tell(report)
  }

  /// Reads every port before anything runs, so that all faults are told at once.
  private func load() throws -> [Validation.Port] {
    var ports: [Validation.Port] = []
    var isBad = false
    for path in self.ports {
      let result = PortReader.load(path: path)
      for diagnostic in result.diagnostics { StandardError.write(diagnostic.rendered + "\n") }
      if let port = result.port { ports.append(port) } else { isBad = true }
    }
    if isBad { throw CommandFailure(message: "", exitCode: 2) }
    let names = Set(ports.flatMap { $0.checks.map(\.name) })
    for name in only where !names.contains(name) {
      throw CommandFailure.input(
        "--only: expected one of \(names.sorted().joined(separator: ", ")), found \(name)")
    }
    // Artefacts of two ports must not fall together.
    var seen: Set<String> = []
    for port in ports where artefacts != nil && !seen.insert(port.name).inserted {
      throw CommandFailure.input(
        "\(port.file): expected a name of its own for each port with --artefacts, found \(port.name) twice"
      )
    }
    return ports
  }

  private func write(_ report: ValidationReport) throws {
    var view = ValidationView()
    view.usesColor = output == nil && StandardOutput.isTerminal
    view.width = output == nil ? StandardOutput.width : view.width
    let bytes = report.render(format, view)
    if let output {
      try OutputFile.write(bytes, to: output)
    } else {
      try StandardOutput.write(bytes)
    }
  }

  /// What made the verdict, on standard error, where the report is for programs; and the exit code.
  private func tell(_ report: ValidationReport) throws {
    for port in report.ports {
      for fault in port.faults where format != .text || output != nil {
        StandardError.write(fault.rendered + "\n")
      }
      if let missing = port.missing { StandardError.write("xenograft: \(missing)\n") }
      for remark in port.remarks where format != .text {
        StandardError.write("xenograft: \(remark)\n")
      }
    }
    let code = report.exitCode
    guard code == 0 else { throw CommandFailure(message: "", exitCode: code) }
  }
}

extension ValidationFormat: ExpressibleByArgument {}
