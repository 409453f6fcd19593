// `xenograft doctor`: what this machine has and lacks.

import ArgumentParser
import Doctor
import Foundation

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this machine has and lacks for each command, and what to install.",
    discussion: """
      Looks for programs on PATH with their versions, for what a boot loads and by which rule it is found, for Debian's \
      packages, for KVM, memory and disk. It changes nothing.

      Examples:

        xenograft doctor
        xenograft doctor --format json

      Exit codes: 0, all main commands can be used; 3, one cannot, which is named. Stock Xen, the compilers for generated \
      projects and the targets of the Makefile are no main commands.
      """)

  /// How the diagnosis is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
  }

  @Option(help: "How to print.")
  var format: Format = .text

  func run() throws {
    let diagnosis = Examination(HostMachine()).diagnosis(version: Version.current)
    try StandardOutput.write(format == .json ? diagnosis.json : Array(diagnosis.text.utf8))
    let impossible = diagnosis.impossible
    guard impossible.isEmpty else {
      throw CommandFailure.missing(
        "expected what every main command needs, found something missing for "
          + impossible.joined(separator: "; "))
    }
  }
}
